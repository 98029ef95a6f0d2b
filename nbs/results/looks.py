"""Ways to make the look cheap, as methods of `blf_bench`: python nbs/results/looks.py train --job cifar2 --methods plain,look,head:.25 …

    look                  the full look: a forward pass of the model
    head:S[:P]            a head on the model's first part, which costs at most the share S of a forward pass; pooled to P × P
    own:NF                a small net of its own, whose convolutions have NF and 2NF filters
    thin:P                a share P of the batch, drawn at random, is left out, and the look is among the others
    every:N               a look at each N-th batch, a random draw in between
    echo                  a look at each second batch, whose choice is trained on twice; the batch in between is left out
    rough:S               images of S times their side; eval=1: in evaluation mode; bf16=1: in bfloat16
    randomly              no look

Each trains on the hardest half of a batch, in the first epoch and the last eighth on all of it. `blf_head:S` is the default filter
(90% of the losses, when it pays) with the head's losses.

Where the variable LOOKS_RANKS names a CSV, each fit adds a row for each epoch: the rank correlation of the losses with those of a full
look, and the share of the full look's choice that is chosen, both of every 13th batch. `looks.py cost` measures what a step takes.
"""
import os,sys
from contextlib import nullcontext
from functools import partial
from torch.utils.data import TensorDataset
from fastai_blf.jobs import *
from fastai_blf import callback,measure
from fastai.basics import *
from fastai_blf.bench import blf_bench
from fastai_blf.callback import *
from fastai_blf.losses import *
from fastai_blf.measure import *
from fastai_blf.methods import methods
from fastai_blf.rehearsal import *
from fastai_blf.selection import *
from scipy.stats import spearmanr
from torch.utils.flop_counter import FlopCounterMode

now = SimpleNamespace(spec=None, seed=None) # the fit under way

# ---- the hardest half, and what its order is worth

class hardest:
    "The items of highest loss"
    def __init__(self, keep=.5): self.keep = keep
    def __call__(self, losses): return losses.argsort(descending=True)[:n_at_least(self.keep, len(losses))]

class Half(BatchLossFilter):
    "The hardest half of each batch; the first epoch and the last eighth whole"
    every = 13
    def __init__(self, epochs, keep=.5, **kwargs):
        super().__init__(select=hardest(keep), warmup=1, cooldown=epochs/8, passes=2, **kwargs)
    def begin_fit(self):
        super().begin_fit()
        self.ranks,self.ranked = [],os.environ.get('LOOKS_RANKS')
    def _keep(self, losses):
        if self.ranked and self.iter%self.every==0: self._compare(losses)
        super()._keep(losses)
    def _compare(self, losses):
        "Compare with the full look"
        resize,self.resize,self.run = self.resize,None,False
        with torch.no_grad(), self.guard(): full = self._losses(BatchLossFilter._forward(self, partial(predict, self.learn, bare(self.model))))
        self.resize,self.run = resize,True
        asked = losses.isfinite()&(losses!=0)
        a,b = self.select(losses),self.select(full)
        self.ranks.append((self.epoch, spearmanr(losses[asked].cpu(), full[asked].cpu())[0], torch.isin(a, b).float().mean().item(), (full[a].sum()/full.sum()).item()))
    def after_fit(self):
        if not self.ranks: return
        df = pd.DataFrame(self.ranks, columns=['epoch','rank','same','loss']).groupby('epoch').mean().reset_index()
        df = df.assign(method=now.spec, seed=now.seed)[['method','seed','epoch','rank','same','loss']]
        with open(self.ranked, 'a') as f: f.write(df.to_csv(index=False, header=not f.tell(), float_format='%.4f'))

fit_rows = measure.fit_rows
def _fit_rows(spec, seed, setup):
    now.spec,now.seed = spec,seed
    return fit_rows(spec, seed, setup)
measure.fit_rows = _fit_rows

# ---- 1: a head on the model's first part

class _Stop(Exception): "The part is done"

def part_output(model, part, xb):
    "What `part` of `model` returns for `xb`; what comes after it is not done"
    out = []
    def _stop(m, inp, o): out.append(o); raise _Stop
    hook = part.register_forward_hook(_stop)
    try: model(*xb)
    except _Stop: pass
    finally: hook.remove()
    return out[0]

def find_part(model, xb, most):
    "The last module along `model` up to which a forward pass costs at most the share `most` of a whole one, and the share it costs; `None` if there is none"
    n,ends,starts,counter = find_bs(xb),{},{},FlopCounterMode(display=False)
    def _start(m, inp): starts.setdefault(m, counter.get_total_flops())
    def _end(m, inp, o): ends.setdefault(m, (counter.get_total_flops(), isinstance(o, Tensor) and o.is_floating_point() and o.ndim>1 and len(o)==n))
    hooks = [h for m in model.modules() for h in (m.register_forward_pre_hook(_start), m.register_forward_hook(_end))]
    try:
        with counter: model(*xb)
    finally:
        for h in hooks: h.remove()
    total = counter.get_total_flops()
    def _spine(m):
        for c in m.children():
            if c in ends: yield c
            cost = ends[c][0]-starts[c] if c in ends else 0
            if c not in ends or isinstance(c, nn.Sequential) or cost>.8*total: yield from _spine(c) # not into a block with a shortcut
    able = [(ends[m][0]/total,i,m) for i,m in enumerate(ends) if 0<ends[m][0]<=most*total and ends[m][1]]
    spine = {*_spine(model)}
    along = [o for o in able if o[2] in spine and o[0]>most/2]
    return max(along or able, key=lambda o: o[:2], default=None)

def pooled(x, size=2):
    "Features of shape `(n,c)` from those of any shape"
    x = x.detach().as_subclass(Tensor).float()
    return F.adaptive_avg_pool2d(x, size).flatten(1) if x.ndim==4 else x.flatten(1,-2).mean(1) if x.ndim>2 else x

def mk_head(x, n_out, nf=64): return nn.Sequential(nn.BatchNorm1d(x.shape[1]), nn.Linear(x.shape[1], nf), nn.ReLU(), nn.Linear(nf, n_out)).to(x.device)

class Judged:
    "Looks by a judge that is trained along"
    own_judge,trying = None,False
    def _rehearse(self):
        self.own_judge,self.trying = None,True
        try: super()._rehearse()
        finally: self.trying = False
        with torch.random.fork_rng([self.dls.device] if self.dls.device.type=='cuda' else []): self._make_own()
        self.own_opt = torch.optim.AdamW(self.own_judge.parameters(), lr=self.own_lr, fused=self.dls.device.type=='cuda')
    def _look(self):
        if self.trying: return super()._look()
        with torch.no_grad(), self.guard(): x = self._inputs()
        return self._teach(x)
    def _teach(self, x):
        "Train the judge on a batch, and return its losses"
        with torch.enable_grad():
            pred = self.own_judge(x)
            loss = self.learn.loss_func(pred, *self.yb)
        loss.backward()
        self.own_opt.step()
        self.own_opt.zero_grad()
        self.whole_loss = loss.detach()
        return self._losses(pred.detach())
    def before_batch(self):
        super().before_batch()
        if self.own_judge and self.n_passes!=2 and self.active and self.epoch<self.n_epoch-self.cooldown: self._on_whole() # while all is trained on, it learns as well

class HeadLook(Judged):
    def __init__(self, epochs, most=.25, pool=2, lr=.003, **kwargs):
        super().__init__(epochs, **kwargs)
        self.most,self.pool,self.own_lr = most,int(pool),lr
    def _make_own(self):
        with torch.no_grad(), self.guard():
            share,_,self.part = find_part(self.model, self.xb, self.most)
            x = self._inputs()
        self.cost.look *= share
        self.own_judge = mk_head(x, self.dls.c)
        if os.environ.get('LOOKS_SAY'): print(f'part: {type(self.part).__name__}, {share:.3f} of a forward pass, features {tuple(x.shape)}', flush=True)
    def _inputs(self): return pooled(part_output(self.model, self.part, [callback._channels_last(o) for o in self.xb]), self.pool)
    def _on_whole(self):
        self.noted = None
        def _note(m, inp, o): self.noted = o
        self.noting = self.part.register_forward_hook(_note) # the training pass has the features
    def after_pred(self):
        super().after_pred()
        if getattr(self, 'noting', None) is None or not torch.is_grad_enabled(): return
        self.noting.remove(); self.noting = None
        self._teach(pooled(self.noted, self.pool))
class Head(HeadLook,Half): pass
class Default(BatchLossFilter):
    def __init__(self, epochs, **kwargs): super().__init__(**kwargs)
class DefaultHead(HeadLook,Default): pass

# ---- 2: a judge of its own

class Own(Judged,Half):
    def __init__(self, epochs, nf=16, lr=.003, **kwargs):
        super().__init__(epochs, **kwargs)
        self.nf,self.own_lr = int(nf),lr
    def _make_own(self):
        n_in,nf = self.x.shape[1],self.nf
        self.own_judge = nn.Sequential(ConvLayer(n_in, nf, stride=2), ConvLayer(nf, 2*nf, stride=2), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(8*nf, self.dls.c)).to(self.dls.device)
        if self.dls.device.type=='cpu': self.own_judge.to(memory_format=torch.channels_last)
    def _inputs(self): return callback._channels_last(self.x)
    def _on_whole(self): self._teach(self._inputs())

# ---- 3 and 4: a part of the batch, or some batches

class Thin(Half):
    def __init__(self, epochs, out=.25, **kwargs):
        super().__init__(epochs, **kwargs)
        self.out = out
    def _look(self):
        xb,yb,n = self.xb,self.yb,find_bs(self.yb)
        idxs = torch.randperm(n)[:n_at_least(1-self.out, n)].to(self.dls.device)
        keep_items(self.learn, idxs, n)
        try: losses = super()._look()
        finally: self.learn.xb,self.learn.yb = xb,yb
        return losses.new_zeros(n).index_copy(0, idxs, losses)

class Randomly(Half):
    def _look(self):
        self.whole_loss = torch.tensor(float('nan'))
        return torch.rand(find_bs(self.yb), device=self.dls.device)

class Every(Half):
    def __init__(self, epochs, n=2, **kwargs):
        super().__init__(epochs, **kwargs)
        self.n = int(n)
    def _look(self):
        return super()._look() if self.iter%self.n==0 else Randomly._look(self)
    def _compare(self, losses):
        if self.iter%self.n==0: super()._compare(losses)

class Echo(Half):
    echo = None
    def before_batch(self):
        if self.echo and self.active:
            (self.learn.xb,self.learn.yb),self.echo,self.pending = self.echo,None,False
            return
        super().before_batch()
        if self.cut: self.echo = self.xb,self.yb

# ---- 5: rough looks

class Rough(Half):
    def __init__(self, epochs, size=1., eval=0, bf16=0, **kwargs):
        super().__init__(epochs, resize=None if size==1 else size, **kwargs)
        self.eval_,self.bf16 = eval,bf16
    def _forward(self, ask):
        amp = torch.autocast(self.dls.device.type, torch.bfloat16) if self.bf16 else nullcontext()
        modes = [m for m in bare(self.model).modules() if m.training] if self.eval_ else []
        for m in modes: m.training = False
        try:
            with amp: return to_float(super()._forward(ask))
        finally:
            for m in modes: m.training = True

def _with_epochs(cls):
    def _f(*args, epochs, **kwargs): return cls(epochs, *args, **kwargs)
    return _f
methods |= {k:_with_epochs(v) for k,v in dict(look=Half, head=Head, own=Own, thin=Thin, every=Every, randomly=Randomly, echo=Echo, rough=Rough, blf_head=DefaultHead).items()}
measure.controls += ('randomly',)

# ---- what a step costs

def cost(model='small', data='cifar', size=32, bs=128, keep=.45, rounds=10, steps=3, device='cpu', out='looks_cost', specs=None):
    "Steps that keep `keep` of a batch take turns; medians of the processor's time, over that of a plain step"
    src = get_dls(data, bs, n_train=bs*(steps+1), n_valid=bs, size=size, device=get_device(device))
    b = src.one_batch()
    dl = BatchLoader(TensorDataset(*(torch.cat([o]*(steps+1)) for o in b)), bs)
    dls,clock = DataLoaders(dl, dl, device=src.device),Clock(device, 'cpu' if device=='cpu' else 'wall')
    dls.c,dls.n_in = src.c,src.n_in
    kinds = dict(plain=noop, randomly=partial(Randomly, 8, keep), look=partial(Half, 8, keep), **{f'head:{s}':partial(Head, 8, s, keep=keep) for s in (.1,.25,.41)}, head4=partial(Head, 8, .1, 4, keep=keep),
                 own=partial(Own, 8, keep=keep), own32=partial(Own, 8, 32, keep=keep), thin=partial(Thin, 8, .4, keep=keep), every=partial(Every, 8, 2, keep=keep), bf16=partial(Rough, 8, bf16=1, keep=keep), half=partial(Rough, 8, .5, keep=keep),
                 built=lambda: BatchLossFilter(0, keep, warmup=0, passes=2, look='head'))
    learns,times = {},{k:[] for k in kinds}
    for k,f in kinds.items():
        set_seed(42)
        cb = f()
        if cb is not None: cb.warmup,cb.cooldown = 0,0
        learns[k] = get_learner(dls, model, cbs=cb)
    for _ in tell(range(rounds), 'rounds'):
        for k in np.random.permutation(list(kinds)):
            res = []
            with learns[k].no_bar(),learns[k].no_logging(): learns[k].fit(1, 1e-4, cbs=AroundSteps(lambda o: res.append(clock.time(o))))
            times[k] += res[1:]
    q = {k:np.quantile(v, [.5,.25,.75])*1e3 for k,v in times.items()}
    df = pd.DataFrame([dict(kind=k, ms=m, ms_q1=a, ms_q3=z, over_plain=m/q['plain'][0]) for k,(m,a,z) in q.items()]).assign(mean=[np.mean(v)*1e3 for v in times.values()])
    save_results(df, out, [f'looks.py cost {model} {data} {size} {bs} {keep}', hardware(device)])
    print(df.round(3).to_string(index=False))

if __name__=='__main__':
    if sys.argv[1:2]==['cost']:
        torch.set_num_threads(1)
        cost(**{k:type_(v) for k,v,type_ in ((o.split('=')[0], o.split('=')[1], dict(size=int,bs=int,rounds=int,steps=int,keep=float).get(o.split('=')[0], str)) for o in sys.argv[2:])})
    else: blf_bench()
