"""What ``riskmark.calc`` offers to everybody: plain arrays in, plain arrays out.

The modules around this package compute many portfolios at once, from sparse holdings and
with a coded reason for every number that cannot be had. Here the same arithmetic is put in
the form that a notebook wants. Sessions run down the first axis, ascending; a vector is one
series, and the columns of a matrix are several. Returns are simple and fractions: 0.01 is one
percent. NaN means "not observed" on the way in and "cannot be had" on the way out.
"""
