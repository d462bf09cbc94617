"""COCO metrics of anything that turns a picture into `Detections`."""
