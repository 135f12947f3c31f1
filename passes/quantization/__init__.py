"""Post-training quantization: which values become integers, by which scales, and what is done about the error.

All is expressed as *quantize, dequantize* around operations on floats; legalization finds the kernels on integers.
"""
