"""Digit classifier (E13). A string that stands alone in this file is text on the page."""

from views.ui import shell

FILE = "pages/digit_classifier.py"

here = shell.open_chapter(FILE)
with shell.loading("PyTorch"):
    from views.digit_classifier import draw, it_learns
match here.name:
    case "it_learns":
        it_learns.show_stage(here)
        """
        The images are 1797 scans of handwritten digits, 8 by 8 pixels each, that come with
        scikit-learn. 360 of them, the **test images**, are kept apart: nothing is learnt from them,
        so what is read in them was not learnt by heart. Pixels go from −1, which is paper, to 1.

        An image enters as 64 numbers. A layer of 256 **units** and one of 128 multiply, add, and
        let through what is positive; the last layer has ten outputs, and the largest one is the
        digit that is read. A step takes 128 images, measures the loss, asks `backward()` for the
        gradient, and moves each of the 50,826 numbers a little against it: predict, loss, gradient,
        update, as with two numbers. With the 28 by 28 pixels of the article's MNIST there would be
        235,146.

        In the table a row is the digit that an image shows, and a column the one that is read.
        """
    case "draw":
        draw.show_stage(here)
        """
        A drawing goes the way that the scans went: it is cut out, enlarged until it fills the
        square, drawn with a pen that leaves as much ink as a scan has, and counted in 8 by 8
        blocks. What differs from the scans after that is your handwriting; the network has learnt
        from that of 13 people.

        The weights are kept at some of the steps, all the first ones among them, in 16 bits;
        between two of these moments the outputs stay as they were. The **learnt images nearest to
        it** are those for which the 128 units of the last hidden layer answer most like they do for
        the drawing. Where it is misread, they often say why.
        """
here.controls.say_refused()
shell.close_page(FILE)
