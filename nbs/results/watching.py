"""What the default filter costs where it leaves nothing out: python nbs/results/watching.py OUT

Two epochs, plain and with `BatchLossFilter()` in turns: `small` on random images of 32 pixels with random labels, whose losses stay even,
all of the model trained or its last layer alone; and two tables, whose steps are so short that whatever is done beside them counts.
Processor time of each step; other work on the machine only adds to it, so the least over the rounds is what a step takes."""
import sys
from fastai_blf.jobs import *
from fastai.basics import *
from torch.utils.data import TensorDataset
from fastai_blf.callback import *
from fastai_blf.measure import *

def images():
    dl = BatchLoader(TensorDataset(torch.randn(2048,3,32,32), torch.randint(0,10,(2048,))), 128)
    dls = DataLoaders(dl, dl, device='cpu')
    dls.c,dls.n_in = 10,3
    return dls
def table(job): return get_dls(**{k:v for k,v in presets[job].items() if k not in ('epochs','lr','seeds')}, device='cpu')

setups = dict(default=partial(table, 'default'), caravan=partial(table, 'caravan'), all=images, frozen=images)

def mk(name, cbs):
    set_seed(0)
    learn = get_learner(setups[name](), default_model(presets[name]['data']) if name in presets else 'small', cbs=cbs)
    if name=='frozen':
        for p in [*learn.model.parameters()][:-2]: p.requires_grad_(False)
    return learn

def main(out):
    torch.set_num_threads(1)
    clock,rows = Clock('cpu', 'cpu'),[]
    for name in setups:
        learns = {nm:mk(name, cbs) for nm,cbs in dict(plain=None, default=BatchLossFilter()).items()}
        for r in range(-1, 24 if name in presets else 8): # the first round warms up
            for nm in np.random.permutation(list(learns)):
                secs = []
                set_seed(r+1)
                with learns[nm].no_bar(),learns[nm].no_logging(): learns[nm].fit(2, 1e-4, cbs=AroundSteps(lambda step: secs.append(clock.time(step))))
                if r>=0: rows += [dict(job=name, method=nm, round=r, step=i, ms=1e3*s) for i,s in enumerate(secs)]
        a,b = (torch.cat([p.detach().flatten() for p in learns[o].model.parameters()]) for o in learns)
        assert torch.equal(a, b) # bit for bit
    save_results(pd.DataFrame(rows), out, ['python nbs/results/watching.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
