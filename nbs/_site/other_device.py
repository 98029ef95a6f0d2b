"""Train with the filters on a device that is not the CPU, on machines that have no GPU: `python nbs/_site/other_device.py`

A tensor left on the host beside those of a GPU raises an error there, and on a CPU nothing, so tests on CPUs pass it by. This makes PyTorch a device
of its own, whose memory is the host's and whose operations are the CPU's, and which is as strict as GPUs are: it refuses tensors of two devices (CUDA),
knows no float64 (Apple's), and draws random numbers of its own. What is trained on it has to come out as on the CPU.

Not seen here: what asks for CUDA by name (TF32, streams, pinned memory), several processes, and recurrent layers, which have kernels of their own on GPUs."""
import contextlib,io,os,shutil,sys,tempfile,traceback,types,warnings
import torch
from torch.utils import cpp_extension

source = r'''
#include <torch/library.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_local_scalar_dense_native.h>
#include <ATen/ops/_native_batch_norm_legit.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
using at::Tensor;
using Sizes = c10::SymIntArrayRef;
template<class T> using Maybe = std::optional<T>;
#define INTS(x) C10_AS_INTARRAYREF_SLOW(x)
const c10::Device here(c10::DeviceType::PrivateUse1, 0);
const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

struct Memory : c10::Allocator { // the host's
  static void free(void* p) { c10::GetCPUAllocator()->raw_deallocate(p); }
  c10::DataPtr allocate(size_t n) override {
    auto p = c10::GetCPUAllocator()->raw_allocate(n ? n : 1);
    return {p, p, &free, here};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void* to, const void* from, size_t n) const override { std::memcpy(to, from, n); }
} memory;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &memory);

struct Guard : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> { // one device with one stream
  const c10::Stream stream{c10::Stream::DEFAULT, here};
  c10::Device getDevice() const override { return here; }
  c10::Device exchangeDevice(c10::Device) const override { return here; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream; }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream; }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks : at::PrivateUse1HooksInterface { // autograd asks for them
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
} hooks;
const bool hooked = (at::RegisterPrivateUse1HooksInterface(&hooks), true);

void check(const c10::OperatorHandle& op, const c10::Stack& stack) { // as CUDA does
  const auto& name = op.schema().name();
  auto has = [&](const char* s) { return name.find(s)!=std::string::npos; };
  bool indexes = name=="aten::index" || has("index_put"), numbers = indexes || has("fill") || op.hasTag(at::Tag::pointwise); // a number may be the host's
  bool ours = false, strays = false;
  auto see = [&](const Tensor& t, bool may) { if (t.defined()) (t.is_privateuseone() ? ours : may ? may : strays) = true; };
  for (const auto& v : torch::jit::last(stack, op.schema().arguments().size())) {
    if (v.isTensor()) see(v.toTensor(), numbers && v.toTensor().defined() && !v.toTensor().dim());
    else if (v.isTensorList()) for (const Tensor& t : v.toTensorVector()) see(t, false);
    else if (v.isOptionalTensorList()) for (const auto& t : v.toOptionalTensorVector()) if (t) see(*t, indexes);
  }
  TORCH_CHECK(!ours || !strays, "Expected all tensors to be on the same device, but found at least two devices, ", here, " and cpu! (", name, ")");
}
at::Generator mine = at::detail::createCPUGenerator(); // of random numbers
Tensor rng_state() { return mine.get_state(); }
void set_rng_state(const Tensor& t) { mine.set_state(t); }
void seed(int64_t n) { mine.set_current_seed(n); }
void by_cpu(const c10::OperatorHandle& op, c10::Stack* stack) {
  check(op, *stack);
  if (!op.hasTag(at::Tag::nondeterministic_seeded)) return at::native::cpu_fallback(op, stack);
  auto host = at::detail::getDefaultCPUGenerator();
  auto state = host.get_state().clone();
  host.set_state(mine.get_state());
  at::native::cpu_fallback(op, stack);
  mine.set_state(host.get_state());
  host.set_state(state);
}

void no_float64(Maybe<at::ScalarType> t) { TORCH_CHECK_TYPE(c10::dtype_or_default(t)!=at::kDouble, "Cannot convert a tensor to float64, which an Apple GPU has not"); }
Tensor empty(Sizes size, Maybe<at::ScalarType> t, Maybe<at::Layout>, Maybe<at::Device>, Maybe<bool>, Maybe<at::MemoryFormat> f) {
  no_float64(t);
  return at::detail::empty_generic(INTS(size), &memory, keys, c10::dtype_or_default(t), f);
}
Tensor empty_strided(Sizes size, Sizes stride, Maybe<at::ScalarType> t, Maybe<at::Layout>, Maybe<at::Device>, Maybe<bool>) {
  no_float64(t);
  return at::detail::empty_strided_generic(INTS(size), INTS(stride), &memory, keys, c10::dtype_or_default(t));
}
Tensor on_host(const Tensor& t) { // the same memory
  return t.is_cpu() ? t : at::for_blob(t.mutable_data_ptr(), t.sizes()).strides(t.strides()).options(t.options().device(at::kCPU)).make_tensor();
}
Tensor copy_from(const Tensor& from, const Tensor& to, bool) { on_host(to).copy_(on_host(from)); return to; }
Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) { return copy_from(from, to.resize_(from.sizes()), false); }
const Tensor& resize_(const Tensor& t, Sizes size, Maybe<at::MemoryFormat> f) { return at::native::resize_(t, INTS(size), f); }
Tensor view(const Tensor& t, Sizes size) { return at::native::view(t, INTS(size)); }
Tensor as_strided(const Tensor& t, Sizes size, Sizes stride, Maybe<c10::SymInt> at) {
  return at::native::as_strided_tensorimpl(t, INTS(size), INTS(stride), at ? Maybe<int64_t>(at->expect_int()) : std::nullopt);
}
Tensor reshape_alias(const Tensor& t, Sizes size, Sizes stride) { return at::native::_reshape_alias(t, INTS(size), INTS(stride)); }
Tensor& set_(Tensor& t, at::Storage s, c10::SymInt at, Sizes size, Sizes stride) { return at::native::set_storage_cpu_(t, s, at.expect_int(), INTS(size), INTS(stride)); }
std::tuple<Tensor,Tensor,Tensor> batch_norm(const Tensor& x, const Maybe<Tensor>& w, const Maybe<Tensor>& b, const Maybe<Tensor>& mean, const Maybe<Tensor>& var, bool training, double momentum, double eps) {
  if (!mean || !mean->defined()) return at::_native_batch_norm_legit(x, w, b, training, momentum, eps);
  Tensor m = *mean, v = *var;
  return at::_native_batch_norm_legit(x, w, b, m, v, training, momentum, eps); // which says that it writes to both
}

TORCH_LIBRARY(standin, m) { m.def("rng_state", rng_state); m.def("set_rng_state", set_rng_state); m.def("seed", seed); }
TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&by_cpu>()); }
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  for (auto op : {"convolution", "convolution_backward"}) m.impl(op, torch::CppFunction::makeFromBoxedFunction<&by_cpu>());
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("resize_", resize_);
  m.impl("view", view);
  m.impl("as_strided", as_strided);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("set_.source_Storage", at::native::set_);
  m.impl("set_.source_Storage_storage_offset", set_);
  m.impl("_local_scalar_dense", at::native::_local_scalar_dense_cpu);
  m.impl("native_batch_norm", batch_norm);
}
TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {
  KERNEL_PRIVATEUSEONE(conv2d, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(linear, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(matmul, lower_precision_fp)
}
'''

def make_device():
    "Compile the device, and have PyTorch know it"
    torch.utils.rename_privateuse1_backend('standin')
    with tempfile.TemporaryDirectory() as d:
        cpp_extension.load_inline('standin', source, extra_cflags=['-O0','-w'], build_directory=d, is_python_module=False, no_implicit_headers=True)
    ops,m = torch.ops.standin,types.ModuleType('torch.standin')
    for nm in ('is_available','is_initialized'): setattr(m, nm, lambda: True)
    m._is_in_bad_fork,m.device_count,m.current_device = (lambda: False),(lambda: 1),(lambda: 0)
    m.device,m.synchronize = (lambda i: contextlib.nullcontext()),(lambda i=None: None)
    m.get_rng_state,m.set_rng_state,m.manual_seed_all = (lambda i=0: ops.rng_state()),(lambda s,i=0: ops.set_rng_state(s)),ops.seed
    m.get_amp_supported_dtype = lambda: [torch.bfloat16,torch.float16]
    torch._register_device_module('standin', m)
    torch.utils.generate_methods_for_privateuse1_backend(for_storage=True)
    torch.__future__.set_swap_module_params_on_conversion(True) # else a model that moves gets new parameters, of which an optimizer knows nothing
    return torch.device('standin', 0)

if __name__=='__main__':
    if not shutil.which(cpp_extension.get_cxx_compiler()): print('skipped: no compiler'); sys.exit(77)
    os.environ.setdefault('MPLBACKEND', 'agg')
    warnings.simplefilter('ignore')
    there = make_device()

from torch.utils._python_dispatch import TorchDispatchMode
import fastai.callback.fp16
import fastai_blf.rehearsal
from fastai.tabular.all import *
from fastai.vision.all import *
from fastai.callback.all import *
from fastai_blf.all import *
from fastai_blf.jobs import get_data
fastai_blf.rehearsal._in_a_launch = lambda device: 1. # so that a look at these small networks can pay

def is_strict(device):
    "Does the device refuse what GPUs refuse, and take what they take?"
    x = torch.ones(3, device=device)
    x[torch.tensor([0,2])] + torch.tensor(1.)
    for f in (lambda: x+torch.ones(3), lambda: torch.stack([x.sum(), torch.tensor(1.)]), lambda: torch.ones(3)[x>0], lambda: x.numpy(), lambda: x.double()):
        try: f()
        except (RuntimeError,TypeError): continue
        return False
    return True

def digits(*parts, n=192, bs=32):
    "Digits, a tenth of them with wrong labels: inputs and targets that `parts` make of images and labels, the last one the target"
    x,y = get_data('digits')[0].tensors
    x,y = x[:n+64].float()/16,y[:n+64].clone()
    y[:n:10] = (y[:n:10]+1)%10
    if not parts: # what has a `show_batch`
        tfms = [lambda i: TensorImageBW(x[i])],[lambda i: str(y[i].item()),Categorize()]
        return Datasets(range_of(x), tfms, splits=(range(n),range(n,n+64))).dataloaders(bs=bs, num_workers=0, device='cpu')
    items = L(zip(*(f(x, y) for f in parts)))
    res = [L(list(items[s])) for s in (slice(n),slice(n,None))]
    for o in res: o.n_inp = len(parts)-1
    return DataLoaders.from_dsets(*res, bs=bs, num_workers=0, device='cpu')

def table():
    rng = np.random.RandomState(0)
    df = pd.DataFrame(dict(a=rng.randn(320).astype('float32'), c=rng.choice(list('xyz'), 320)))
    df['y'] = np.where(df.a+(df.c=='x')>.3, 'yes', 'no')
    return TabularDataLoaders.from_df(df, y_names='y', cat_names=['c'], cont_names=['a'], procs=[Categorify,Normalize], valid_idx=range(256,320), bs=32, device='cpu', num_workers=0)

def _image(x, y): return x
def _pixels(x, y): return (16*x).long().flatten(1)
def _label(x, y): return y
def _mask(x, y): return (x[:,0]>.5).long()

def net(n_out=10, p=0.): return nn.Sequential(ConvLayer(1, 8), ConvLayer(8, 16, stride=2), nn.Dropout(p), nn.AdaptiveAvgPool2d(1), Flatten(), nn.Linear(16, n_out))
class Two(Module):
    def __init__(self): self.one,self.two = net(),net()
    def forward(self, x, y): return self.one(x)+self.two(y)
class Dicts(Module):
    def __init__(self): self.net = net()
    def forward(self, d): return self.net(d['x'])
class Pair(Module):
    def __init__(self): self.net = net(11)
    def forward(self, x): return (o:=self.net(x))[:,:10],o[:,10]
def pair_loss(pred, y, reduction='mean'): return F.cross_entropy(pred[0], y, reduction=reduction)+F.mse_loss(pred[1], y/3, reduction=reduction)
def hand_made(pred, y): return -(pred.log_softmax(1)*F.one_hot(y, 10)).sum()/len(y)
def by_item(pred, *yb): return F.cross_entropy(pred, *yb, reduction='none')

ce = CrossEntropyLossFlat()
of_digits = digits,net,ce
of_masks = partial(digits, _image, _mask),(lambda: nn.Sequential(ConvLayer(1, 8), nn.Conv2d(8, 2, 1))),CrossEntropyLossFlat(axis=1)
of_numbers = partial(digits, _image, lambda x,y: y/3),partial(net, 1),MSELossFlat()
of_sets = partial(digits, _image, lambda x,y: F.one_hot(y, 10).float()),net,BCEWithLogitsLossFlat()
of_pixels = partial(digits, _pixels, _label),(lambda: nn.Sequential(nn.Embedding(17, 16), nn.TransformerEncoderLayer(16, 2, 32, 0., batch_first=True), Lambda(lambda x: x.mean(1)), nn.Linear(16, 10))),ce
of_two = partial(digits, _image, lambda x,y: x.flip(3), _label),Two,ce
of_dicts = partial(digits, lambda x,y: [dict(x=o) for o in x], _label),Dicts,ce
of_pairs = partial(digits, _image, _label),Pair,pair_loss
blf,elf = partial(BatchLossFilter, .4, warmup=.5),partial(EpochLossFilter, keep_loss=0)
bf16 = partial(MixedPrecision, AMPMode.BF16)

cases = { # the data, model and loss; the callbacks; the epochs
    'plain':                (of_digits, [], 2),
    'BatchLossFilter()':    (of_digits, [BatchLossFilter], 3),
    'passes=None':          (of_digits, [blf], 3),
    'passes=1':             (of_digits, [partial(blf, passes=1)], 3),
    'passes=2':             (of_digits, [lambda: BatchLossFilter(SchedLin(1, .5), SchedCos(1, .2), passes=2, interrupt=5, cooldown=.5)], 3),
    "look='head'":          (of_digits, [partial(blf, look=.5)], 4),
    'resize':               (of_digits, [partial(blf, resize=.5)], 3),
    'select':               (of_digits, [partial(BatchLossFilter, warmup=.5, passes=2, select=skip_hardest(.2))], 3),
    'item_loss':            (of_digits, [partial(blf, item_loss=by_item)], 3),
    'one by one':           ((*of_digits[:2], hand_made), [blf], 3),
    'suspects':             (of_digits, [LossHistory,partial(blf, look=.5)], 9),
    'LossHistory':          (of_digits, [LossHistory], 4),
    'EpochLossFilter':      (of_digits, [elf], 9),
    'reweight':             (of_digits, [partial(elf, None, reweight=True, guard=False)], 9),
    'both':                 (of_digits, [elf,blf], 9),
    'MixUp':                (of_digits, [MixUp,LossHistory,blf], 3),
    'CutMix':               (of_digits, [CutMix,elf], 9),
    'accumulation':         (of_digits, [partial(GradientAccumulation, 64),blf], 3),
    'masks':                (of_masks, [LossHistory,partial(blf, passes=2)], 3),
    'numbers':              (of_numbers, [LossHistory,partial(blf, look=.5)], 4),
    'sets of classes':      (of_sets, [elf,blf], 9),
    'two inputs':           (of_two, [LossHistory,partial(blf, passes=2)], 3),
    'dicts':                (of_dicts, [partial(blf, passes=2)], 2),
    'pairs of predictions': (of_pairs, [partial(blf, passes=2)], 2),
    'attention':            (of_pixels, [partial(blf, passes=2)], 3),
    'table':                ((table,None,ce), [elf,blf], 9),
    'random items *':       (of_digits, [lambda: BatchLossFilter(select=sample_by_rank(1.), passes=2)], 3), # *: drawn or rounded in another way there, so not compared
    'bfloat16 *':           (of_digits, [bf16,partial(blf, look=.5)], 3),
    'bfloat16, epochs *':   (of_digits, [bf16,partial(elf, reweight=True, guard=False)], 9)}

def fit(learn, n):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(n, 1e-2)
    return learn

def learner(name, device):
    (mk_dls,mk_model,loss_func),mk_cbs,n = cases[name]
    fastai.callback.fp16.autocast = lambda _,dtype: torch.autocast(torch.device(device).type, dtype) # fastai asks for that of CUDA
    set_seed(42)
    dls = mk_dls().to(device)
    set_seed(42)
    kw = dict(loss_func=loss_func, cbs=[f() for f in mk_cbs])
    return fit(tabular_learner(dls, layers=[16,8], n_out=2, **kw) if mk_model is None else Learner(dls, mk_model(), **kw), n)

def numbers(learn):
    "What came out of a training"
    res = [*learn.model.state_dict().values(),tensor(learn.recorder.values)]
    if hasattr(learn, 'blf'): res += learn.blf.history
    if hasattr(learn, 'loss_history'): res.append(tensor(learn.loss_history.to_df().to_numpy('float64')))
    return torch.cat([o.detach().cpu().double().flatten() for o in res])

def use(learn):
    "What is done after a training; what the filters refuse with a reason is not to be seen here"
    cbs = L(getattr(learn, o, None) for o in ('blf','loss_history')).filter()
    names = 'plot','plot_losses','plot_map','show_kept','show_top','show_suspects','suspects','top'
    typed = isinstance(learn.dls.train_ds, Datasets)
    for f in (getattr(cb, nm) for cb in cbs for nm in names if hasattr(cb, nm) and (typed or not nm.startswith('show'))):
        try: f()
        except ValueError as e:
            if 'No batch has been filtered yet' not in str(e): raise
    plt.close('all')
    with tempfile.TemporaryDirectory() as d, learn.no_bar(), learn.no_logging():
        learn.path = Path(d)
        for cb in cbs:
            torch.save(cb.state_dict(), learn.path/'state.pth')
            if state := torch.load(learn.path/'state.pth'): cb.load_state_dict(state)
        learn.load(learn.save('model').stem)
        if typed: learn.export('learn.pkl'); load_learner(learn.path/'learn.pkl')
        learn.lr_find(num_it=5, show_plot=False)
        learn.validate()
        fit(learn, 2) # from what was loaded

def compare(name):
    "Is a training on the device what it is on the CPU?"
    here,other = (learner(name, o) for o in ('cpu',there))
    a,b = numbers(here),numbers(other)
    with contextlib.redirect_stdout(io.StringIO()): use(other)
    return '*' in name or torch.allclose(a, b, 1e-3, 1e-4, equal_nan=True)

class Noisy(Transform):
    def encodes(self, x:TensorImageBW): return x + torch.rand_like(x)/4

def stays_plain(cb):
    "Is a training with a filter that leaves nothing out what it is without, also in the random numbers that the device draws?"
    def _weights(cbs):
        set_seed(42)
        dls = digits().to(there)
        dls.train.after_batch.add(Noisy())
        set_seed(42)
        learn = Learner(dls, net(p=.5), loss_func=ce, cbs=cbs)
        with contextlib.redirect_stdout(io.StringIO()): fit(learn, 2)
        return torch.cat([p.detach().cpu().flatten() for p in learn.model.parameters()])
    return torch.equal(_weights(()), _weights(cb))

class Waits(TorchDispatchMode):
    "Counts, where `on`, for what the host has to wait: numbers that it asks a device for"
    on,n = False,0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        res = func(*args, **kwargs or {})
        if self.on: self.n += self._waits(func, res, args)
        return res
    def _waits(self, func, res, args):
        def _there(o): return isinstance(o, Tensor) and o.device.type!='cpu'
        if not any(map(_there, args)): return False
        if func==torch.ops.aten.index.Tensor: return any(o is not None and o.dtype==torch.bool for o in args[1])
        if torch.Tag.dynamic_output_shape in func.tags: return True
        return not (_there(res) or is_listy(res)) # a number, or a copy on the host

def keeps_up(cb):
    "Does a filter have the host wait for the device at most once more for each batch (one that only remembers: never) than plain training, but for an epoch's first batch?"
    def _waits(cbs):
        set_seed(42)
        learn,waits = Learner(digits().to(there), net(), loss_func=ce, cbs=cbs),Waits()
        one_batch = learn.one_batch
        def _one_batch(i, b):
            waits.on = learn.training and i>0
            one_batch(i, b)
            waits.on = False
        learn.one_batch = _one_batch
        with waits,contextlib.redirect_stdout(io.StringIO()): fit(learn, 5)
        return waits.n
    plain = _waits(()) # fastai asks for each batch's loss
    return 0<plain and _waits(cb)<=plain*(1 if isinstance(cb, LossHistory) else 2)

def run(f, *args):
    "What is wrong with a check; `None` if it holds"
    try: return None if f(*args) else f.__doc__+' No.'
    except Exception as e:
        at = first(o for o in traceback.extract_tb(e.__traceback__)[::-1] if 'fastai_blf' in o.filename)
        return f"{type(e).__name__}: {str(e)[-300:]}" + (f" ({Path(at.filename).name}, line {at.lineno}: {at.line})" if at else '')

if __name__=='__main__':
    plain = dict(model=BatchLossFilter(), head=BatchLossFilter(look=.5), select=BatchLossFilter(select=random_items(.9)), history=LossHistory(), epochs=EpochLossFilter())
    checks = [('the device',is_strict,there), *((f'plain beside {k}',stays_plain,v) for k,v in plain.items()),
              *((f'no waiting for {k}',keeps_up,v) for k,v in dict(plain, two=blf(passes=2), one=blf(passes=1), chosen=elf()).items()), *((o,compare,o) for o in cases)]
    bad = {name:why for name,f,arg in checks if (why := run(f, arg))}
    for o in bad.items(): print(*o, sep=': ')
    print(f'{len(checks)} checks on another device, {len(bad)} failed')
    sys.exit(len(bad)>0)
