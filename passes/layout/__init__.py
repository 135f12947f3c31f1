"""The parts of propagate-layout: where orders are wanted, which assignment costs least, and the rewrite.

``sites`` says in which storage orders each operation can run, ``candidates`` collects the orders that can matter for
each value, ``solve`` finds the assignment with the least transposed bytes and proves it, ``realize`` rewrites the IR.
"""
