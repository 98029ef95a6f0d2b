"How many batches batch norm counts in an epoch, with tsai's `BatchLossFilter` and with this one: `python nbs/results/tsai_batches.py`, with tsai installed"
from importlib.metadata import version
from tsai.basics import *
from tsai.callback.experimental import BatchLossFilter as TsaiFilter
from fastai_blf.all import *

X,y = np.random.default_rng(0).normal(size=(1500,1,64)).astype('float32'),np.arange(1500)%3
splits = list(range(1400)),list(range(1400,1500))

def counted(cb):
    "Batches in an epoch, and batches that the first batch norm counts in it"
    learn = TSClassifier(X, y, splits=splits, tfms=[None,TSClassification()], arch='FCN', cbs=cb, verbose=False)
    with learn.no_bar(),learn.no_logging(): learn.fit(1, 1e-3)
    return len(learn.dls.train),first(m for m in learn.model.modules() if isinstance(m, nn.BatchNorm1d)).num_batches_tracked.item()

print(*(f"{o} {version(o)}" for o in ('tsai','fastai')))
for nm,cb in {'plain':None, "tsai's":TsaiFilter(loss_perc=.9), 'BatchLossFilter':BatchLossFilter(warmup=0, passes=2), 'EpochLossFilter':EpochLossFilter()}.items(): print(nm, *counted(cb))
