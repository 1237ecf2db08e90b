"""Near misses of what recorded runs say of trained networks: larger, smaller or other effects than were measured."""

from __future__ import annotations

from sympy import And, Eq, Or, Rational

from tests.attack.soundness.falsehood import Falsehood
from theory.claims.trained.bounded import gain as bounding_gain
from theory.claims.trained.bounded import largest, outside_sgd, outside_start, outside_svb, share, smallest
from theory.claims.trained.correlated import (
    ahead,
    cos2,
    cos2_other,
    gain,
    gain_lost_,
    larger,
    loss_gap,
    more,
    more_early,
    rise,
)
from theory.claims.trained.filters import adjacent, adjacent_before, before, correlation, fall, slope
from theory.derive.single_filter.zigzag import gsc, gsc_other
from theory.symbols import p

_TENTH = Rational(1, 10)

FALSEHOODS = (
    Falsehood("C-FIG1", "positive", "factor", adjacent > _TENTH, "0.06: near pixels of trained filters are not at 0.1"),
    Falsehood("C-FIG1", "positive", "quantity", adjacent_before >= adjacent, "trained filters, not initial ones"),
    Falsehood(
        "C-FIG1", "positive, all pairs", "bound", correlation >= adjacent, "over all pairs it is a third of that"
    ),
    Falsehood("C-FIG1", "positive, all pairs", "factor", before > correlation / 2, "before training it is 0"),
    Falsehood(
        "C-FIG1", "falls from neighbours to corners", "factor", fall > 2 * adjacent, "the fall is 4/3 of adjacent"
    ),
    Falsehood("C-FIG1", "falls from neighbours to corners", "sign", -fall > 0, "corners are less correlated"),
    Falsehood("C-FIG1", "falls at every distance", "sign", fall < 0, "it falls on the whole"),
    Falsehood("C-FIG1", "falls at every distance", "bound", fall < correlation, "by more than the mean correlation"),
    Falsehood("C-FIG1", "grows with depth", "strictness", slope >= 0, "it falls with depth"),
    Falsehood("C-FIG1", "grows with depth", "bound", slope > -Rational(1, 200), "it falls by more than 0.005 a layer"),
    Falsehood("C-CI", "small rate", "sign", gain < 0, "the gain is positive"),
    Falsehood("C-CI", "small rate", "factor", gain > _TENTH, "ten points: it is two or three"),
    Falsehood("C-CI", "large rate", "factor", gain > Rational(1, 5), "twenty points"),
    Falsehood("C-CI", "small rate, equal variance", "factor", gain > Rational(1, 20), "five points: it is near none"),
    Falsehood("C-CI", "small rate, equal larger gain", "strictness", gain <= 0, "the gain is positive"),
    Falsehood("C-CI", "small rate, equal smaller variance", "factor", gain < -Rational(1, 20), "five points less"),
    Falsehood("C-CII", "mean loss, rate 0.005", "sign", loss_gap < 0, "uncorrelated filters lose more"),
    Falsehood("C-CII", "mean loss, rate 0.005", "factor", loss_gap > Rational(1, 5), "0.07, not 0.2"),
    Falsehood("C-CII", "epochs, rate 0.005", "factor", ahead > 4, "one or two epochs, not four"),
    Falsehood("C-CII", "epochs, rate 0.005", "strictness", ahead <= 0, "correlated filters are ahead"),
    Falsehood("C-CII", "mean loss, rate 0.1", "factor", loss_gap > _TENTH, "as at the small rate: it is near none"),
    Falsehood("C-CII", "epochs, rate 0.1", "factor", ahead > 2, "as at the small rate: it is near none"),
    Falsehood("C-CIII", "from Theorem 1", "strictness", gsc_other > gsc, "equal at every start", as_="correction"),
    Falsehood(
        "C-CIII", "from Theorem 1", "factor", Eq(gsc_other, gsc + 1 / p), "equal at every start", as_="correction"
    ),
    Falsehood("C-CIII", "from Theorem 1", "hypothesis", 2 * cos2_other < cos2, "equal at every start", as_="condition"),
    Falsehood("C-CIII", "first epochs, rate 0.005", "factor", more_early > Rational(1, 50), "two percent of all signs"),
    Falsehood("C-CIII", "all epochs, rate 0.005", "factor", more > Rational(1, 100), "one percent of all signs"),
    Falsehood("C-CIII", "gradients, rate 0.005", "sign", larger < 0, "gradients of correlated filters are larger"),
    Falsehood("C-CIII", "first epochs, rate 0.1", "factor", more_early > Rational(1, 50), "two percent of all signs"),
    Falsehood("C-CIII", "all epochs, rate 0.1", "factor", more > Rational(1, 50), "two percent of all signs"),
    Falsehood("C-CIII", "gradients, rate 0.1", "factor", larger > 1, "by a factor of 2: it is a few percent"),
    Falsehood("C-CIV", "", "factor", gain_lost_ > Rational(3, 20), "fifteen points"),
    Falsehood("C-CIV", "", "sign", gain_lost_ < -Rational(3, 20), "fifteen points, the other way round"),
    Falsehood("C-CV", "gain", "factor", gain_lost_ > Rational(1, 5), "twenty points"),
    Falsehood("C-CV", "mechanism", "factor", rise > Rational(1, 50), "by 0.02: it is 0.002"),
    Falsehood("C-CV", "mechanism", "sign", rise < 0, "L2 makes filters more correlated"),
    Falsehood("C-INIT", "uncorrelated Kaiming", "factor", gain > Rational(1, 5), "twenty points"),
    Falsehood("C-INIT", "orthogonal", "factor", gain > _TENTH, "ten points"),
    Falsehood("C-INIT", "Xavier", "factor", gain < -_TENTH, "ten points less"),
    Falsehood("X-SCALE", "uncorrelated", "factor", gain > Rational(1, 20), "five points"),
    Falsehood("X-SCALE", "correlated", "factor", gain > Rational(1, 20), "five points: it is two"),
    Falsehood("X-SCALE", "correlated", "sign", gain <= 0, "smaller weights help"),
    Falsehood("S-FIG1", "SGD leaves 1", "factor", outside_sgd > Rational(9, 10), "80 %, not 90"),
    Falsehood("S-FIG1", "SGD leaves 1", "bound", outside_sgd < Rational(3, 4), "80 % are outside"),
    Falsehood("S-FIG1", "SVB keeps them", "strictness", Or(outside_svb > 0, outside_start > 0), "none is outside"),
    Falsehood("S-FIG1", "SVB keeps them", "quantity", outside_svb >= outside_sgd, "SGD without SVB leaves the band"),
    Falsehood("S-COST", "ConvNet", "factor", share > Rational(1, 100), "a tenth of a percent, not one"),
    Falsehood("S-COST", "ConvNet", "exponent", share**2 > Rational(1, 10**5), "its square"),
    Falsehood("S-COST", "ResNet", "factor", share > Rational(1, 100), "a tenth of a percent, not one"),
    Falsehood("S-COST", "ResNet", "sign", share < 0, "it does take time"),
    Falsehood("S-T1", "ResNet, SVB", "factor", bounding_gain > Rational(1, 20), "five points: it is one"),
    Falsehood("S-T1", "ResNet, SVB", "sign", bounding_gain <= 0, "error does fall"),
    Falsehood("S-T1", "ResNet, BBN", "factor", bounding_gain > Rational(1, 50), "two points: it is near none"),
    Falsehood("S-T1", "ConvNet, SVB", "factor", bounding_gain > Rational(1, 5), "twenty points"),
    Falsehood("S-T1", "ConvNet, BBN", "bound", And(bounding_gain > _TENTH, bounding_gain < 1), "by ten points"),
    Falsehood("X-BAND", "too large", "bound", largest < 2, "nearly three times the band"),
    Falsehood("X-BAND", "too small", "factor", smallest > Rational(1, 100), "nearly zero"),
    Falsehood("X-BAND", "too small", "quantity", smallest >= largest / 10, "nearly zero against nearly three"),
    Falsehood("C-CIV", "", "quantity", gain_lost_**2 > _TENTH, "a third of all accuracy, either way"),
    Falsehood("C-CIV", "", "bound", gain_lost_ >= Rational(1, 4), "25 points"),
    Falsehood("C-CV", "gain", "sign", gain_lost_ < -Rational(1, 5), "twenty points, the other way round"),
    Falsehood("C-INIT", "orthogonal", "sign", gain < -_TENTH, "ten points less"),
    Falsehood("X-SCALE", "uncorrelated", "sign", gain < -Rational(1, 50), "two points less"),
    Falsehood("X-BAND", "too large", "factor", largest > Rational(16, 5), "3.2: sqrt(9) is not reached"),
)
