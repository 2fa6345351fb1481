/* The label macros in odd places: every way out of a block restores the set. */
#include <everprof.h>

#include <stdio.h>

static int leave_by_return(int early)
{
	EVERPROF_LABELS("a", "b") {
		if (early)
			return 1;
	}
	return 2;
}

static int leave_by_goto(void)
{
	EVERPROF_LABELS("a", "b") {
		EVERPROF_LABELS("c", "d")
			goto out;
	}
	return 1;
out:
	return 2;
}

static int leave_a_switch(int x)
{
	switch (x) {
	case 1:
		EVERPROF_LABELS("a", "b") {
			return 1;
		}
		return 8;
	case 2:
		EVERPROF_LABELS("c", "d") {
			break;
		}
		return 2;
	default:
		return 3;
	}
}

static int under_if_and_else(int x)
{
	if (x)
		EVERPROF_LABELS("a", "b") return 1;
	else
		EVERPROF_LABELS("a", "c") return 2;
	return 8;
}

static int in_loops(void)
{
	int n = 0, left = 3;
	for (int i = 0; i < 10; i++)
		EVERPROF_LABELS("a", "b") {
			if (i == 3)
				continue;
			n++;
		}
	do
		EVERPROF_LABELS("a", "b") left--;
	while (left);
	while (left++ < 3)
		EVERPROF_LABELS("a", "b");
	return n;
}

static int back_by_goto(void)
{
	int n = 0;
again:
	EVERPROF_LABELS("a", "b") {
		if (n++ < 3)
			goto again;
	}
	return n;
}

static int three_on_a_line(void)
{
	EVERPROF_LABELS("a", "1") EVERPROF_LABELS("b", "2") EVERPROF_LABELS("c", "3") return 3;
	return 8;
}

static int eight_pairs(const char *none)
{
	EVERPROF_LABELS("a", "1", "b", "2", "c", none, "d", "4", "e", "5", "f", "6", "g", "7", "h", "8")
		return everprof_labels_current() != NULL;
	return 8;
}

static int with(const everprof_labels *set)
{
	EVERPROF_WITH(set) {
		return everprof_labels_current() == set;
	}
	return 8;
}

static int n_wrong;

static void expect(const char *what, int got, int wanted)
{
	if (got == wanted && !everprof_labels_current())
		return;
	printf("%s: %d, not %d; labels %s\n", what, got, wanted,
	       everprof_labels_current() ? "left behind" : "as before");
	n_wrong++;
}

int main(void)
{
	expect("return", leave_by_return(1), 1);
	expect("end of block", leave_by_return(0), 2);
	expect("goto", leave_by_goto(), 2);
	expect("return from a switch", leave_a_switch(1), 1);
	expect("break in a switch", leave_a_switch(2), 2);
	expect("if", under_if_and_else(1), 1);
	expect("else", under_if_and_else(0), 2);
	expect("loops", in_loops(), 9);
	expect("goto back", back_by_goto(), 4);
	expect("three on a line", three_on_a_line(), 3);
	expect("eight pairs", eight_pairs(NULL), 1);
	expect("with", with(everprof_labels_derive(NULL, "a", "b")), 1);
	expect("with nothing", with(NULL), 1);
	return n_wrong != 0;
}
