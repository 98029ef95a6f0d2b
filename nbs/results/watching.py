"""What the default filter costs where it leaves nothing out: python nbs/results/watching.py OUT

Two epochs with a callback of fastai's that does nothing and with `BatchLossFilter()`, in turns: `small` on random images of 32 pixels with
random labels, whose losses stay even, all of the model trained or its last layer alone; and two tables, whose steps are so short that whatever is
done beside them counts. Of each step its processor time, and how much of it is the callback's: what it does at the step's events, and what it takes
to ask it (`timer` is what the clock adds to that). (Whole steps with and without it differ by more for where their tensors lie in memory.) Medians over the rounds."""
import sys
from itertools import count
from time import process_time
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

dls = {}

def mk(name, cbs):
    if name not in dls: dls[name] = setups[name]()
    set_seed(0)
    dls[name].train.rng.seed(0)
    learn = get_learner(dls[name], default_model(presets[name]['data']) if name in presets else 'small', cbs=cbs)
    if name=='frozen':
        for p in [*learn.model.parameters()][:-2]: p.requires_grad_(False)
    return learn

class Timed:
    "Adds up the processor time of a callback's events"
    spent = 0.
    def __call__(self, event_name):
        start = process_time()
        try: return super().__call__(event_name)
        finally: object.__setattr__(self, 'spent', self.spent+process_time()-start)
class Mute(Callback):
    def __call__(self, event_name): pass
class Timer(Timed,Mute): pass # what the clock takes
class Nothing(Timed,Callback): pass
class Default(Timed,BatchLossFilter): pass

def main(out):
    torch.set_num_threads(1)
    clock,rows = Clock('cpu', 'cpu'),[]
    def _note(do, cb, **kwargs):
        cb.spent = 0.
        rows.append(dict(**kwargs, ms=1e3*clock.time(do), own=1e3*cb.spent))
    for name in setups:
        for r in range(-1, 8 if name in presets else 3): # the first round warms up
            cbs,learns = dict(plain=None, timer=Timer(), callback=Nothing(), default=Default()),{}
            for nm in np.random.permutation(list(cbs)):
                learns[nm],steps = mk(name, cbs[nm]),count()
                around = AroundSteps(lambda do: _note(do, cbs[nm] or SimpleNamespace(), job=name, method=nm, round=r, step=next(steps)))
                with learns[nm].no_bar(),learns[nm].no_logging(): learns[nm].fit(2, 1e-4, cbs=around)
            plain,*others = (torch.cat([p.detach().flatten() for p in learns[o].model.parameters()]) for o in cbs)
            assert all(torch.equal(plain, o) for o in others) # bit for bit
    df = pd.DataFrame(rows).query('round>=0').groupby(['job','method','step'], sort=False)[['ms','own']].median().reset_index()
    save_results(df, out, ['python nbs/results/watching.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
