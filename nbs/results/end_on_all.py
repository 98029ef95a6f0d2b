"""What the last epochs on everything do where batch norm has seen hard items: python nbs/results/end_on_all.py OUT

Small tables of scikit-learn and ISLP by fastai's tabular network with batch norm, the first one without as well, 20 epochs of one cycle; and the digits as images, by a
small convolutional body with the head that fastai's `vision_learner` puts on one, 24 epochs. `eighth` is a guarded `EpochLossFilter` with the last eighth of the epochs on
everything, `none` without; `filtered` is the accuracy after the last epoch that `eighth` leaves items out of, `end` that after the last epoch."""
import sys,warnings
from math import ceil
from fastai_blf.jobs import *
from fastai.vision.all import *
from fastai.tabular.all import *
from fastai_blf.all import *
from fastai_blf.measure import hardware,save_results
from importlib.resources import files
from sklearn.datasets import load_breast_cancer,load_digits

def from_islp(name, target):
    df = pd.read_csv(files('ISLP')/'data'/f'{name}.csv')
    return df.drop(columns=[c for c in df if c.startswith('Unnamed')]),target

def pixels():
    df = load_digits(as_frame=True).frame
    return df[[c for c in df if df[c].nunique()>9]],'target' # pixels that hardly ever have ink cannot be normalized

tables = dict(cancer=lambda: (load_breast_cancer(as_frame=True).frame,'target'), digits=pixels,
              college=lambda: from_islp('College', 'Private'), juice=lambda: from_islp('OJ', 'Purchase'))

def table_learner(table, seed, use_bn=True):
    df,y = tables[table]()
    cat = [c for c in df if c!=y and not pd.api.types.is_numeric_dtype(df[c])]
    dls = TabularDataLoaders.from_df(df, procs=[Categorify,Normalize], cat_names=cat, cont_names=[c for c in df if c!=y and c not in cat],
                                     y_names=y, y_block=CategoryBlock(), bs=64, seed=seed, device='cpu')
    dls.rng.seed(seed)
    return tabular_learner(dls, layers=[100,50], metrics=accuracy, config=dict(use_bn=use_bn, bn_cont=use_bn))

def image_learner(seed):
    dls = get_dls('digits', size=16, device='cpu')
    dls.train.rng.seed(seed)
    model = nn.Sequential(small_resnet(dls.n_in, dls.c)[:-3], create_head(128, dls.c))
    return Learner(dls, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy)

fits = {o:(partial(table_learner, o),20,3e-3) for o in tables} | {'cancer, no batch norm':(partial(table_learner, 'cancer', use_bn=False),20,3e-3), 'digits as images':(image_learner,24,1e-2)}

def main(out):
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    rows = []
    for name,(mk,epochs,lr) in fits.items():
        for seed in range(7):
            for nm,cb in dict(plain=None, eighth=EpochLossFilter(cooldown=epochs/8, guard=True), none=EpochLossFilter(cooldown=0, guard=True)).items():
                set_seed(seed)
                learn = mk(seed=seed)
                with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(epochs, lr, cbs=cb)
                vals = learn.recorder.values
                kept = [v[-1] for v in vals] if cb else [1.]
                rows.append(dict(fits=name, seed=seed, method=nm, kept=np.mean(kept), filtered=vals[ceil(epochs*7/8-.5)-1][2], end=vals[-1][2], valid_loss=vals[-1][1]))
        save_results(pd.DataFrame(rows), out, ['python nbs/results/end_on_all.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
