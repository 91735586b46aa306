"""What a table says of animals: from labels to arrays, with everything that can be wrong.

- `columns`, `files`: which column holds what; text files;
- `labels`: labels of any kind to integers, losslessly;
- `details`, `sexes`, `clones`: what a table may say beside parents;
- `checks`: what contradicts itself;
- `reading`: the way from a table to `Animals`; `tables`: the way back.
"""
