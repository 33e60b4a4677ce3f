"""People in context: a network in the way of Kosti et al. (2019), trained on their EMOTIC.

The set is for research only and is fetched from its authors; nothing of it is here. Read
`train.py` first, then `annotations.py` for the files it expects.
"""
