from convcost.conventions import C_IN, MACS, NEIGHBOURS, STRIDES, ZERO, K, X, Y, convention, fault

convention(
    "netscope",
    word="MACC",
    meaning="""The column MACC of Netscope's CNN analyzer, for Caffe networks: multiply-adds of
    convolutions without their groups, and of linear layers. Comparisons, additions, divisions and
    exponentials have columns of their own. It rounds the sizes of all pools up; convcost counts
    with the sizes of the spec.""",
    source="src/analyzer.coffee of dgschwend/netscope",
    rules={
        "conv": fault(Y * C_IN * K, "groups are ignored"),
        "transposed_conv": fault(Y * C_IN * K // STRIDES, "groups are ignored"),
        "linear": MACS,
        "local_response_norm": NEIGHBOURS * X,
        "scale multiply": Y,
        "batch_norm relu dropout softmax max_pool avg_pool global_avg_pool global_max_pool": ZERO,
        "add maximum concat flatten crop": ZERO,
    },
)
