"""Pictures and videos as sources of detections."""
