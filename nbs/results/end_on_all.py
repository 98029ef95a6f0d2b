"""What the last epochs on everything do where batch norm has seen hard items: python nbs/results/end_on_all.py OUT

Tables of scikit-learn and ISLP, fastai's tabular network with batch norm, and on the first one without, 20 epochs of one cycle. `elf` is the default, `eighth` trains on
everything in the last eighth of the epochs, as the default does with images; `filtered` is the accuracy after epoch 17, the last one that `eighth` leaves
items out of, `end` that after the last epoch."""
import sys,warnings
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
    return df[[c for c in df if df[c].nunique()>9]],'target' # what is ink in hardly any image has no scale to be normalized by

tables = dict(cancer=lambda: (load_breast_cancer(as_frame=True).frame,'target'), digits=pixels,
              college=lambda: from_islp('College', 'Private'), juice=lambda: from_islp('OJ', 'Purchase'))

def fit(table, seed, cb, use_bn):
    df,y = tables[table]()
    set_seed(seed)
    cat = [c for c in df if c!=y and not pd.api.types.is_numeric_dtype(df[c])]
    dls = TabularDataLoaders.from_df(df, procs=[Categorify,Normalize], cat_names=cat, cont_names=[c for c in df if c!=y and c not in cat],
                                     y_names=y, y_block=CategoryBlock(), bs=64, seed=seed, device='cpu')
    dls.rng.seed(seed)
    learn = tabular_learner(dls, layers=[100,50], metrics=accuracy, cbs=cb, config=dict(use_bn=use_bn, bn_cont=use_bn))
    with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(20, 3e-3)
    return learn.recorder.values

def main(out):
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    rows = []
    for table,use_bn in (*((o,True) for o in tables), ('cancer',False)):
        for seed in range(7):
            for nm,cb in dict(plain=None, elf=EpochLossFilter(), eighth=EpochLossFilter(cooldown=20/8)).items():
                vals = fit(table, seed, cb, use_bn)
                kept = [v[-1] for v in vals] if cb else [1.]*20
                rows.append(dict(table=table, batch_norm=use_bn, seed=seed, method=nm, kept=np.mean(kept), filtered=vals[16][2], end=vals[-1][2], valid_loss=vals[-1][1]))
            save_results(pd.DataFrame(rows), out, ['python nbs/results/end_on_all.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
