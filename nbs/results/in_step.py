"""What whole fits take beside plain ones: python nbs/results/in_step.py JOB OUT [SEEDS [METHODS [EPOCHS]]]

Plain training and, by default, a callback of fastai's that does nothing and `BatchLossFilter()` on a job of the bench, at once in one process: each does a
batch, then the next one has its turn. Whatever slows the machine slows all alike, as in fits one after the other it does not. Each is a thread, whose own
processor time is taken; random numbers are put back at each turn, so that all fits are those that they would be alone. They are to leave nothing out."""
import sys
from threading import Semaphore,Thread
from time import thread_time
from fastai_blf.jobs import *
from fastai.basics import *
from fastai_blf.all import *
from fastai_blf.history import same_chance
from fastai_blf.measure import *

callbacks = dict(plain=lambda: None, callback=Callback, blf=BatchLossFilter, elf=EpochLossFilter)

class Turn(Callback):
    "Has the next one do a batch"
    order = 10_000
    def __init__(self, mine, following): self.mine,self.following = mine,following
    def after_batch(self):
        with same_chance():
            self.following.release()
            self.mine.acquire()

def rows(job, seed, methods, epochs):
    kw = {k:v for k,v in presets[job].items() if k not in ('epochs','lr','seeds')}
    turns = [Semaphore(0) for _ in methods]
    learns,timers,threads = {},{},[]
    for i,nm in enumerate(np.random.default_rng(seed).permutation(methods)):
        timers[nm],turn = TrainTimer(thread_time),Turn(turns[i], turns[(i+1)%len(turns)])
        def _fit(nm=nm, turn=turn):
            turn.mine.acquire()
            set_seed(seed)
            learns[nm] = learn = get_learner(get_dls(device='cpu', **kw), default_model(kw['data']), cbs=[*L(callbacks[nm]()), timers[nm], turn])
            learn.dls.train.rng.seed(seed)
            with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(epochs, presets[job]['lr'])
            turn.following.release()
        threads.append(Thread(target=_fit))
    for o in threads: o.start()
    turns[0].release()
    for o in threads: o.join()
    same = [torch.cat([p.detach().flatten() for p in learns[nm].model.parameters()]) for nm in methods]
    assert all(torch.equal(same[0], o) for o in same) # bit for bit
    return [dict(job=job, method=nm, seed=seed, epoch=i+1, time=t) for nm in methods for i,t in enumerate(timers[nm].secs)]

def main(job, out, seeds='3', methods='callback,blf', epochs=None):
    torch.set_num_threads(1)
    res,command = [],' '.join(o for o in ('python nbs/results/in_step.py', job, 'OUT', *sys.argv[3:]))
    for seed in range(int(seeds)):
        res += rows(job, seed, ['plain',*methods.split(',')], int(epochs or presets[job]['epochs']))
        save_results(pd.DataFrame(res), out, [command, hardware('cpu', 1)])
        times = pd.DataFrame(res).groupby(['seed','method']).time.sum().unstack()
        print(times.div(times.plain, axis=0).to_string(), flush=True)

if __name__=='__main__': main(*sys.argv[1:])
