"""What the last epochs on everything do where batch norm has seen hard items: python nbs/results/end_on_all.py OUT

The 569 rows of scikit-learn's breast cancer data, fastai's tabular network with batch norm and without, 20 epochs of one cycle; `filtered` is the
accuracy after epoch 17, the last one that leaves items out by default, `end` that after the last epoch, on everything by default."""
import sys,warnings
from fastai.tabular.all import *
from fastai_blf.all import *
from fastai_blf.measure import hardware,save_results
from sklearn.datasets import load_breast_cancer

def fit(seed, cb, use_bn):
    df = load_breast_cancer(as_frame=True).frame
    set_seed(seed)
    dls = TabularDataLoaders.from_df(df, procs=[Normalize], cont_names=[*df.columns[:-1]], y_names='target', y_block=CategoryBlock(), bs=64, seed=seed, device='cpu')
    dls.rng.seed(seed)
    learn = tabular_learner(dls, layers=[100,50], metrics=accuracy, cbs=cb, config=dict(use_bn=use_bn, bn_cont=use_bn))
    with learn.no_bar(),learn.no_logging(): learn.fit_one_cycle(20, 3e-3)
    return learn.recorder.values

def main(out):
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    rows = []
    for use_bn in (True,False):
        for seed in range(7):
            for nm,cb in dict(plain=None, elf=EpochLossFilter(), cooldown_0=EpochLossFilter(cooldown=0)).items():
                vals = fit(seed, cb, use_bn)
                kept = [v[-1] for v in vals] if cb else [1.]*20
                rows.append(dict(batch_norm=use_bn, seed=seed, method=nm, kept=np.mean(kept), filtered=vals[16][2], end=vals[-1][2], valid_loss=vals[-1][1]))
    save_results(pd.DataFrame(rows), out, ['python nbs/results/end_on_all.py OUT', hardware('cpu', 1)])

if __name__=='__main__': main(sys.argv[1])
