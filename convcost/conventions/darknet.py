from convcost.conventions import MACS, ZERO, convention, depends

convention(
    "darknet",
    word="FLOPs",
    meaning="""What Darknet prints, in billions: two operations per multiply-add of convolutions and
    connected layers, for one image. Everything else counts 0. The tables on its site use 256×256
    images for most networks.""",
    source="src/convolutional_layer.c, examples/darknet.c",
    per_sample=True,
    rules={
        "conv linear": 2 * MACS,
        "norm activation softmax pool join resize": ZERO,
        "move": depends(ZERO, "assumes a layer of its own, such as route or upsample"),
    },
)
