"""A synthetic detection set: textured shapes, partly hidden, over clutter and in changing light. Needs no download."""

from nanoedge.data.synthetic.dataset import write_synthetic_set
from nanoedge.data.synthetic.scene import Scene, draw_scene
from nanoedge.data.synthetic.shapes import CLASSES

__all__ = ["CLASSES", "Scene", "draw_scene", "write_synthetic_set"]
