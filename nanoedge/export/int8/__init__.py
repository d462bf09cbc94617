"""An int8 file beside the float one: calibration pictures, the best range method, and what it costs in AP."""
