"""Drawings of networks: a view of what is drawn, Graphviz text, SVG."""
