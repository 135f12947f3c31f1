"""A zoo: many models, for many targets, compiled from one list, on one machine or on many."""
