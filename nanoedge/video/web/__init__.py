"""The camera's page: live picture, boxes, plots and knobs in a browser; the API and the metrics beside it."""
