"""The network whose features the profile `learned` compares: its weights, its graph, and its execution.

Only this package imports onnx and onnxruntime, which are the extra `learned`, and only when features are made. No other
command loads them.

Decision 0052: weights of a package, a graph that is made of them once, and arithmetic that only one library does.
"""
