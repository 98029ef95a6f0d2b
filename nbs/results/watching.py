"""What the default filter costs where it leaves nothing out: python nbs/results/watching.py OUT

Epochs of `small` on random images of 32 pixels with random labels, whose losses stay even, plain and with `BatchLossFilter()` in turns,
all of the model trained or its last layer alone. Processor time of each step of two epochs; other work on the machine only adds to it,
so the least over the rounds is what a step takes."""
import sys
from fastai_blf.jobs import *
from fastai.basics import *
from torch.utils.data import TensorDataset
from fastai_blf.callback import *
from fastai_blf.measure import *

def mk(frozen, cbs):
    set_seed(0)
    dl = BatchLoader(TensorDataset(torch.randn(2048,3,32,32), torch.randint(0,10,(2048,))), 128)
    dls = DataLoaders(dl, dl, device='cpu')
    dls.c,dls.n_in = 10,3
    learn = get_learner(dls, cbs=cbs)
    if frozen:
        for p in [*learn.model.parameters()][:-2]: p.requires_grad_(False)
    return learn

def main(out, rounds=8):
    torch.set_num_threads(1)
    clock,rows = Clock('cpu', 'cpu'),[]
    for frozen in (False,True):
        learns = {nm:mk(frozen, cbs) for nm,cbs in dict(plain=None, default=BatchLossFilter()).items()}
        for r in range(-1, rounds): # the first round warms up
            for nm in np.random.permutation(list(learns)):
                secs = []
                with learns[nm].no_bar(),learns[nm].no_logging(): learns[nm].fit(2, 1e-4, cbs=AroundSteps(lambda step: secs.append(clock.time(step))))
                if r>=0: rows += [dict(frozen=frozen, method=nm, round=r, step=i, ms=1e3*s) for i,s in enumerate(secs)]
        a,b = (torch.cat([p.detach().flatten() for p in learns[o].model.parameters()]) for o in learns)
        assert torch.equal(a, b) # bit for bit
    save_results(pd.DataFrame(rows), out, ['python nbs/results/watching.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
