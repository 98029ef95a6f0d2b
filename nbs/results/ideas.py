"""Ideas of the literature that are not in the library, each beside its control: python nbs/results/ideas.py OUT [PART...]

`saturating` draws a share of an epoch's items, each with odds `floor+(1-floor)*(1-exp(-loss))`, so that no item is always kept and none counts many times: a wrong label
has the odds of any item that is not learned. `moment` draws likewise, and its share is what the losses say: that of the items which carry them, by the second moment of
`1-exp(-loss)`, between a half and all. `random_moment` has its shares and draws by chance, as `random_items` does with a fixed one.
`_collect` has the items kept of a batch wait until there are as many as in a batch, as in Selective-Backprop (Jiang et al., 2019, arXiv 1910.00762, section 3.2), so that
each step is one of a full batch, and there are fewer of them.
Fits as those of `blf_bench train` in one thread of a CPU: the digits, with a fifth of the labels wrong as well, and half of the images of `cifar2` for 60 epochs. A row for
each fit: its end, and the share of items kept."""
import sys
from fastai_blf.jobs import *
from fastai.basics import *
from fastai_blf.all import *
from fastai_blf.bench import train
from fastai_blf.measure import hardware,last_epochs,read_results,save_results
from fastai_blf.methods import RandomBatches,methods

def saturated(losses): return 1-(-losses.nan_to_num(math.inf)).exp()

def carriers(losses):
    "The share of the items that carry the losses: 1 where all have the same, 1/n where one has all"
    s = saturated(losses)
    return max(.5, (s.mean()**2/(s**2).mean()).item())

class Saturating(RandomFilter):
    def __init__(self, keep=.58, floor=.2):
        super().__init__(keep)
        self.floor = floor
    def _losses(self): return self.floor+(1-self.floor)*saturated(self.losses)

class Moment(Saturating):
    def __init__(self, **kwargs): super().__init__(lambda _: carriers(self.losses), **kwargs)

class RandomMoment(Moment):
    def _losses(self): return RandomFilter._losses(self)

class Collect:
    "Train on items in as large batches as they were loaded in, once there are enough"
    waiting = None
    def before_batch(self):
        super().before_batch()
        if not self.training: return
        b = (*self.xb,*self.yb)
        if self.waiting: b = tuple(torch.cat(o) for o in zip(self.waiting, b))
        bs = self.dl.bs
        if len(b[0])<bs:
            self.waiting = b
            self.learn.xb,self.learn.yb = ([o[:0]] for o in b) # for those who count
            raise CancelBatchException
        self.waiting = tuple(o[bs:] for o in b)
        self.learn.xb,self.learn.yb = ([o[:bs]] for o in b)

class CollectLook(Collect,BatchLossFilter): pass
class CollectRandom(Collect,RandomBatches): pass

methods.update(saturating=Saturating, moment=Moment, random_moment=RandomMoment, two_collect=lambda: CollectLook(passes=2),
               sb_collect=lambda: CollectLook(select=sample_by_rank(1.), passes=2, n_sizes=0), random_collect=CollectRandom)

share = 'plain,elf,saturating,moment,random_items:.58,random_moment'
collected = 'plain,two,two_collect,sb,sb_collect,random_batches,random_collect'
parts = dict(collect=dict(job='digits', methods=collected),
             digits=dict(job='digits', methods=f'{share},plain@26'),
             wrong=dict(job='digits', methods=f'{share},plain@26', wrong=.2),
             long=dict(job='cifar2', methods='plain,elf,random_epochs,saturating,moment,plain@38', epochs=60, n_train=5000, n_valid=3000, channels_last=True))

def main(out, *which):
    rows,folder = [],Path(f'{out}_parts')
    folder.mkdir(exist_ok=True) # a part that was interrupted goes on
    for part in which or parts:
        train(**parts[part], seeds=5, device='cpu', clock='cpu', out=folder/part)
        df = read_results(folder/f'{part}.csv')
        ends = last_epochs(df).drop(columns=['epoch','kept']).join(df.groupby(['method','seed']).kept.mean())
        rows.append(ends.assign(part=part, job=parts[part]['job']).reset_index().set_index(['part','job']).reset_index())
        save_results(pd.concat(rows), out, [' '.join(['python nbs/results/ideas.py OUT', *which]), hardware('cpu', 1)])

if __name__=='__main__': main(*sys.argv[1:])
