"""Digit classifier (E13). A string that stands alone in this file is text on the page."""

import streamlit as st

from views.ui import shell

FILE = "pages/digit_classifier.py"

here = shell.open_chapter(FILE)
with shell.loading("PyTorch"):
    from views.digit_classifier import check, draw, it_learns
match here.name:
    case "it_learns":
        it_learns.show_stage(here)
        f"""
        The images are 1797 scans of handwritten digits, 8 by 8 pixels each, that come with
        scikit-learn. 360 of them, the **test images**, are kept apart: nothing is learnt from them,
        so what is read in them was not learnt by heart. Pixels go from −1, which is paper, to 1.

        An image enters as 64 numbers. A layer of 256 **units** and one of 128 multiply, add, and
        let through what is positive; the last layer has ten outputs, and the largest one is the
        digit that is read. A step takes a **batch** of 128 images, measures the loss, asks
        `backward()` for the gradient, and moves each of the 50,826 numbers a little against it:
        predict, loss, gradient, update, as with two numbers.

        In {shell.article("E13")}, the images are MNIST's, 28 by 28 pixels, and 235,146 numbers are
        learnt. Where this server can have MNIST, you can choose it in the settings: 3,000 of its
        images to learn from, and 500 to test with. The lines stay the same. The rate is
        smaller: a step changes each sum of the first layer by the squares of all inputs, and there
        are twelve times as many.

        The loss is that of the batch of a step. Of the scans every twelfth batch is what is left
        over, 29 images which happen to be easier than most: hence the teeth.

        In the table a row is the digit that an image shows, and a column the one that is read.
        """
    case "draw":
        draw.show_stage(here)
        """
        A drawing goes the way that the scans went: it is cut out, enlarged until it fills the
        square, drawn with a pen that leaves as much ink as a scan has, and counted in 8 by 8
        blocks; for MNIST it is put around its centre of mass, as those images were. What differs
        after that is your handwriting.

        The weights are kept at some of the steps, all the first ones among them, in 16 bits;
        between two of these moments the outputs stay as they were. The **learnt images nearest to
        it** are those for which the 128 units of the last hidden layer answer most like they do for
        the drawing. Where it is misread, they often say why.
        """
    case "inside":
        with shell.loading("TensorFlow"):
            from views.digit_classifier import inside
        inside.show_stage(here)
        """
        A unit of the first layer multiplies each pixel by a weight of its own, adds up, and passes
        the sum on if it is positive. So its weights can be drawn as an image. They began at random,
        and training moves each of them only a little: what it added is a small part of what is
        there, and the whole of what was learnt. Shown are the units whose sums it changed most.
        Edges that are teal or brown throughout are pixels that are paper in nearly every image:
        there a weight tells no image from another, and acts like a bias. All squares of a wall
        have the same scale. The weights are kept at some of the steps, in 16 bits.

        On the right is a **saliency map**: the gradient of one output with respect to the pixels.
        It is found by the same `backward()`, or from the same tape, as that of the loss with
        respect to the weights, and only the question is another one: not which weight, but which
        pixel. Choose an output that is not the digit shown, and see what would have to be there.
        """
        inside.tell()
    case "code":
        with shell.loading("TensorFlow"):
            from views.digit_classifier import code
        settings = code.show_stage(here)
        """
        The words of the two frameworks differ, the four lines do not. PyTorch hangs a graph on the
        results and `backward()` leaves the gradients in `.grad`; the tape writes a list beside them
        and hands the gradients back. What the first column works out by hand is the same chain rule
        that both of them apply, layer by layer, from the last line of the prediction to the first.

        Both runs begin with the same arrays and take the same images in the same order, so their
        losses may differ by rounding only: numbers of 32 bits have seven digits.
        """
        code.tell(settings)
    case "mistakes":
        with shell.loading("TensorFlow"):
            from views.digit_classifier import mistakes
        outcome = mistakes.show_stage(here)
        """
        Only one of these mistakes raises an error. Two overflow, which is hard to overlook. The
        others run to their end with numbers that look like numbers, and whether anything was learnt
        is seen only in images that were kept apart: the **test images**.
        """
        if outcome:
            mistakes.tell(outcome)
    case "check":
        check.show_stage(here)
        """
        A gradient says how the loss answers to each number that is learnt. To check one, move
        that number a little up and a little down, compute the loss of the same images both times,
        and divide the difference by the way between: a **central difference**. It asks the loss
        itself and knows nothing of the chain rule. It costs two forward passes for each number,
        which is why nobody trains with it, and why a random handful is checked.

        Two losses that agree in nine digits have seven left of the sixteen of 64 bits to differ
        in, and none of the seven of 32 bits. So rounding explains the same small difference for
        each weight, here 1e−9, and that is more, relative to a small gradient. A gradient is 0 in
        both ways where its unit passes nothing on for any image. Where a ReLU is switched on or
        off between the two ends, the loss has a kink, and the difference is no derivative: such a
        weight has a cross for a mark, and says nothing.
        """
here.controls.say_refused()
st.html('<div id="sources"></div>')
shell.close_page(FILE)
