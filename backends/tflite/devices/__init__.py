"""Devices that run TFLite files with kernels of their own: accelerators of phones, microcontrollers, NPUs.

Each has a table of the builtins it takes (:mod:`.table`), which says so of operators in a file and of operations that
would become such: legalization, ``nhwcc check`` and the docs ask the same rows.
"""
