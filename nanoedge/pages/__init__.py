"""HTML pages that stand alone: the frame that they share, and plots as SVG."""
