"""The LLNL poster "Deciphering emotions using convolutional neural networks on video data".

Its two steps, as recipes: `train` (four classes of FER2013), then `raters` (RECOLA, one output
for each rater).
"""
