"""Post-training quantization as a user asks for it: data, calibration, the choice of a recipe, what it costs."""
