"""Small data sets that come with the package, each with its source.

>>> names()
('cake', 'course', 'dyestuff', 'dyestuff2', 'gist', 'pastes', 'penicillin', 'sleepstudy')
>>> load("sleepstudy").data.head(2)
   Reaction  Days Subject
0  249.5600     0     308
1  258.7047     1     308
"""

from animalmm.datasets.loading import Dataset, describe, load, names

__all__ = ["Dataset", "describe", "load", "names"]
