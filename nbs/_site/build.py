"Build the site (docs/) and README.md from the notebooks"
import base64,filecmp,html,json,os,re,shutil,sys,tempfile
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from fastcore.script import call_parse,store_true

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(here), os.environ.get('PYTHONPATH')])) # nbdev processes notebooks in other processes
os.environ['PYTHONWARNINGS'] = 'ignore'

from nbdev.config import get_config
from nbdev.serve import proc_nbs
from blf_page import help_pages,page_nm,small_png,tutorials
from check import problems

def pages(cache, src):
    "Copy the processed notebooks of `cache` to `src`, each under the name of its page, and the files that they use"
    for f in cache.rglob('*'):
        if not f.is_file(): continue
        d = src/f.relative_to(cache)
        if f.suffix=='.ipynb': d = d.with_name(page_nm(f)+'.ipynb')
        d.parent.mkdir(parents=True, exist_ok=True)
        if f.suffix=='.png': d.write_bytes(small_png(f.read_bytes()))
        else: shutil.copy(f, d)

def _fenced(s, lang=''): return f'```{lang}\n{s.rstrip()}\n```'

def _output_md(o, images, meta):
    "An output as Markdown; `images` is the folder of its pictures, which MyST-NB names by their content, `meta` the cell's metadata"
    if o['output_type']=='stream': return _fenced(''.join(o['text']), 'text')
    d = {k:''.join(v) for k,v in o['data'].items() if isinstance(v, (str,list))}
    if 'image/png' in d: return f"![{meta['mystnb']['image'].get('alt', '')}]({images}/{sha256(base64.b64decode(d['image/png'])).hexdigest()}.png)"
    if 'text/markdown' in d: return d['text/markdown']
    if 'text/html' in d: return d['text/html']
    return _fenced(d['text/plain'], 'text')

def to_md(
    nb:Path, # A processed notebook
    link, # A function from the target of a relative link to another one
    images:str # The folder of the pictures
)->str: # Its text, code and outputs as Markdown, without what only MyST understands
    res = []
    for c in json.loads(nb.read_text(encoding='utf-8'))['cells']:
        s = ''.join(c['source'])
        show = s.strip() and 'remove-input' not in c['metadata'].get('tags', [])
        if c['cell_type']=='code': res += [_fenced(s, 'python')]*bool(show) + [_output_md(o, images, c['metadata']) for o in c['outputs']]
        elif '```{toctree}' not in s:
            s = re.sub(r'^<details class="part"><summary>.*?</a>(.*)</summary>$|^</details>$', lambda m: re.sub('</?code>', '`', html.unescape(m[1] or '')), s, flags=re.M)
            s = re.sub(r'^\{\.where\}\n.*\n|^\{\.\w+\}\n|^<a id=.*</a>\n', '', s, flags=re.M)
            res.append(re.sub(r'\]\((?!https?:|#|mailto:)([^)\s]+)\)', lambda m: f']({link(m[1])})', s))
    return re.sub(r'\n{3,}', '\n\n', '\n\n'.join(o.strip('\n') for o in res))+'\n'

def llms(
    txt:str, # The list of modules that `nbdev-export` writes
    out:Path, # The folder of the pages
    base:str # Their address
)->str: # The same, with the tutorials and the other pages that help before the modules
    def _line(nm):
        title,sub = re.match(r'# (.*)\n+(?:> (.*))?', (out/f'{nm}.html.md').read_text(encoding='utf-8')).groups()
        return f'- [{title}]({base}{nm}.html.md)' + (f': {sub}' if sub else '')
    def _part(head, nms): return f'## {head}\n\n' + '\n'.join(_line(o) for o in nms if (out/f'{o}.html.md').exists()) + '\n\n'
    return txt.replace('## Modules', _part('Tutorials', [f'tutorial.{o}' for o in tutorials]) + _part('Help', [*help_pages, 'compat', 'cases', 'experiments']) + '## Modules')

def build(root):
    "Build `docs` and `README.md` in the folder `root`"
    from sphinx.cmd.build import main as sphinx
    cfg = get_config(here)
    os.chdir(cfg.config_path)
    cache = proc_nbs(n_workers=2, force=True)
    out = root/cfg.doc_path.name
    with tempfile.TemporaryDirectory() as tmp:
        src,trees = Path(tmp)/'src',Path(tmp)/'trees'
        pages(cache, src)
        rc = sphinx(['-W','--keep-going','-q','-b','html','-c',str(here),'-d',str(trees),str(src),str(out)])
        if rc: sys.exit(rc)
    (out/'.buildinfo').unlink(missing_ok=True)
    (out/'.nojekyll').touch()                     # GitHub Pages leaves out names with an underscore otherwise
    base = f'{cfg.doc_host}{cfg.doc_baseurl}/'
    def _page(l):
        if l.endswith('.png'): return f'_images/{Path(l).name}' # where Sphinx puts pictures
        return base + re.sub(r'^site:|(?<=[^/]).ipynb(?=#|$)', lambda m: '' if m[0]=='site:' else '.html', l)
    def _repo(l): return base+l.removeprefix('site:') if l.startswith('site:') else f'{cfg.nbs_path.name}/{names.get(l, l)}'
    names = {page_nm(f)+'.ipynb':f.name for f in cache.glob('*.ipynb')}
    for f in cache.glob('*.ipynb'):               # where the modules' docstrings say that their docs are
        (out/f'{page_nm(f)}.html.md').write_text(to_md(f, _page, '_images'), encoding='utf-8')
    (out/'llms.txt').write_text(llms((cfg.nbs_path/'llms.txt').read_text(encoding='utf-8'), out, base), encoding='utf-8')
    (root/'README.md').write_text(to_md(cache/'index.ipynb', _repo, f'{out.name}/_images'), encoding='utf-8')
    shutil.rmtree(cache)
    return out

def files(root, doc_nm): return {o.relative_to(root) for o in [*(root/doc_nm).rglob('*'), root/'README.md'] if o.is_file()}

def differences(new, old, doc_nm):
    "The files of the site and the README that differ between the folders `new` and `old`"
    a,b = files(new, doc_nm),files(old, doc_nm)
    return sorted(map(str, (a^b) | {o for o in a&b if not filecmp.cmp(new/o, old/o, shallow=False)}))

def other_versions():
    "Where what is installed is not what `requirements.txt` asks for"
    want = dict(l.split('==') for l in (here/'requirements.txt').read_text().split('\n') if '==' in l)
    return [f'{k} {version(k)} is installed, {v} expected' for k,v in want.items() if version(k)!=v]

@call_parse
def main(
    check:store_true=False # Change nothing; fail if what is there is not what would be built
):
    "Build the site in docs/ and README.md from the notebooks, and check what came out"
    root = get_config(here).config_path
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        out = build(tmp)
        diff = differences(tmp, root, out.name)
        if check and diff: sys.exit('\n  '.join(['Out of date (build with `python nbs/_site/build.py`):', *diff, *other_versions()]))
        if diff:
            shutil.rmtree(root/out.name, ignore_errors=True)
            shutil.copytree(out, root/out.name)
            shutil.copy(tmp/'README.md', root)
        print(f'{len(diff)} files changed')
    bad = problems(root)
    if bad: sys.exit('\n'.join(bad))
