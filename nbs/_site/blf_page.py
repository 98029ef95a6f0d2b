"The last step of nbdev's processing of a notebook: from its pages to pages for Sphinx and MyST-NB"
import ast,base64,html,re,struct
from io import BytesIO
from pathlib import Path
from PIL import Image
from nbdev.config import get_config
from nbdev.process import Processor
from fastcore.nbio import mk_cell

tutorials = 'start when finetune labels text tabular timeseries segmentation huggingface distributed coming_from cifar'.split()
help_pages = 'cards faq glossary'.split()

_re_fence = re.compile(r'^```.*?^```', re.M|re.S)
_re_entry = re.compile(r'(?:\[source\]\((?P<src>[^)]*)\)\{.*?\}\s+)?#+ (?P<name>\S+)\s+(?P<sig>```.*?\n```)\s*(?P<doc>.*)', re.S)

def page_nm(path): return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(path).stem) # as nbdev's `nbpath2html`

def contents(nbs):
    "The table of contents for the notebooks named `nbs`: tutorials in their order, the others in the order of their numbers"
    refs,trials = ([page_nm(o) for o in sorted(nbs) if o[0] in digits] for digits in ('012','3'))
    tuts = [f'tutorial.{o}' for o in tutorials if f'tutorial.{o}' in nbs]
    left = set(nbs) - {o for o in nbs if o[0].isdigit()} - set(tuts) - {*help_pages,'index'}
    if left: raise ValueError(f"Where do these notebooks belong in the table of contents? {', '.join(sorted(left))}")
    def _toc(caption, pages): return '```{toctree}\n:hidden:\n:caption: ' + caption + '\n\n' + '\n'.join(pages) + '\n```'
    return '\n\n'.join(_toc(*o) for o in (('Tutorials',tuts), ('Help',[o for o in help_pages if o in nbs]), ('Reference',refs), ('Experiments',trials), ('Project',[f'GitHub <{get_config().git_url}>'])) if o[1])

_of_a_fit = re.compile(r'(before|after|begin|enter)_|(check_losses|doubted|leave_out|reset|(load_)?state_dict)$') # what a callback does by itself

def offered(lib): # The folder of the package
    "What `from fastai_blf.all import *` gives, and the commands"
    tops = ast.parse((Path(lib)/'all.py').read_text(encoding='utf-8')).body
    return {o.name for t in tops if isinstance(t, ast.ImportFrom) for o in t.names} | {'blf_demo','blf_bench'}

def is_part(
    nm:str, # Of an entry, a method with its class
    looked_up:set # Names that a user looks up
)->bool: # Is it a part of the machinery?
    top,_,method = nm.partition('.')
    return top not in looked_up or bool(_of_a_fit.match(method))

def in_a_line(md):
    "A line of Markdown as HTML, without its links"
    return re.sub('`([^`]*)`', r'<code>\1</code>', html.escape(re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', ' '.join(md.split())), quote=False))

def clean_text(s):
    "`s` as a terminal shows it at the end: without what a carriage return wrote over, trailing space and empty lines around it"
    lines = [([o for o in l.split('\r') if o.strip()] or [''])[-1].rstrip() for l in s.split('\n')]
    return '\n'.join(lines).strip('\n')+'\n'

def small_png(
    data:bytes, # A PNG file
    max_kb:int=95 # Leave it as it is if it is not larger than so many kB
)->bytes: # The same picture, in as many colours as fit
    "Make a PNG file small"
    img,res = Image.open(BytesIO(data)),data
    for n in (256,128,64,32,16):
        if len(res)<=max_kb*1000: break
        f = BytesIO()
        img.convert('RGB').quantize(n).save(f, 'PNG', optimize=True)
        res = f.getvalue()
    return res

def _png_width(data): return struct.unpack('>I', data[16:20])[0]

class Page(Processor):
    "Make a processed notebook a page for MyST-NB"
    def begin(self):
        cfg,self.level = get_config(),1
        self.base = f'{cfg.doc_host}{cfg.doc_baseurl}/'
        self.nm,self.cfg = Path(self.nb.path_).name,cfg
        self.offered = offered(cfg.config_path/cfg.lib_name)

    def cell(self, cell):
        cell.pop('has_sd', None)
        cell.metadata = {}
        if cell.cell_type=='code' and re.search(r'^show_doc\(', cell.source, re.M): self._entry(cell)
        elif cell.cell_type=='code': self._code(cell)
        if cell.cell_type!='markdown': return
        cell.source = self._links(re.sub(r'\A(#\|.*\n)+', '', cell.source))
        heads = re.findall('^(#+) ', _re_fence.sub('', cell.source), re.M)
        if heads and not cell.get('is_entry'): self.level = len(heads[-1])

    def _links(self, md):
        "Links to pages of this site, and to notebooks, as links between pages"
        md = md.replace(f']({self.base}', '](site:')
        if self.nm!='14_bench.ipynb': md = re.sub(r'\[(`(?:step|train|summary|select)`)\]\(site:bench\.html#\w+\)', r'\1', md) # elsewhere these are settings and methods
        name = r'\[(`[^`]*`)\]\([^)]*\)'
        md = re.sub(rf'\[[^\[\]]*(?:{name}[^\[\]]*)+\](?=\()', lambda m: '['+re.sub(name, r'\1', m[0][1:]), md) # nbdev links names within the text of a link, too
        return re.sub(r'\]\(\d+[a-zA-Z0-9]*_([\w.]+\.ipynb)', r'](\1', md)

    def _entry(self, cell):
        "The output of `show_doc` as a section, one level below the one that it is in, or of the machinery's parts as a line to unfold; with the anchor that nbdev links to"
        md = ''.join(cell.outputs[0]['data']['text/markdown'])
        m = _re_entry.search(md)
        if not m: raise ValueError(f"`{cell.source}` gave no entry:\n{md}")
        sig = re.sub(r'\b(?:\w+\.)+(DataFrame|Series)\b', r'pd.\1', m['sig']) # as it is written, since where pandas says that they live depends on its version
        sig = re.sub(r',?\s*after_create:NoneType=None.*?after_fit:NoneType=None', '', sig, flags=re.S) # each callback of fastai's takes its events as arguments
        src,nm,doc = m['src'],m['name'].replace('\\',''),re.sub(r'^\*(.*)\*$', r'\1', m['doc'].strip(), flags=re.M)
        cell.cell_type,cell.is_entry = 'markdown',True
        anchor = f'<a id="{nm.lower()}" class="anchor"></a>'
        body = f'{{.signature}}\n{sig}\n\n' + (f'{{.source}}\n[source]({src})\n' if src else '')
        if self.nm!='14_bench.ipynb' and is_part(nm, self.offered): cell.source = f'<details class="part"><summary>{anchor}<code>{nm}</code> {in_a_line(doc)}</summary>\n\n{body}\n</details>'
        else: cell.source = f'{anchor}\n\n{"#"*(self.level+1)} `{nm}`\n\n{doc}\n\n{body}'
        for k in ('outputs','execution_count'): cell.pop(k, None)

    def _code(self, cell):
        "Code without directives, and its outputs without what has no meaning on a page"
        def _says(s): return re.search(rf'^#\| *{s}', cell.source, re.M)
        meta = {'tags':['remove-input']} if _says('echo: *false') else {'tags':['hide-input']} if _says('code-fold: *true') else {}
        alt = re.search(r'^#\| *fig-alt: *(.*)', cell.source, re.M)
        cell.source = re.sub(r'^#\|.*\n?', '', cell.source, flags=re.M)
        for o in cell.outputs:
            if o.output_type=='stream': o['text'] = clean_text(''.join(o['text']))
            if 'image/png' in (data := o.get('data') or {}):
                png = small_png(base64.b64decode(''.join(data['image/png'])))
                data['image/png'] = base64.b64encode(png).decode()
                w = _png_width(png)//2 # drawn at twice the resolution
                meta['mystnb'] = {'image': {'width':f'{w}px'} | ({'alt':alt[1].strip()} if alt else {}) | ({'classes':'wide'} if w>900 else {})}
            if 'text/html' in data: data['text/html'] = re.sub(r'<style scoped>.*?</style>|(?<=>)\s+(?=<)', '', ''.join(data['text/html']), flags=re.S)
        cell.metadata = meta
        cell.outputs = [o for o in cell.outputs if o.get('name')!='stderr' and (o.output_type!='stream' or o['text'].strip())]

    def _where(self):
        "Links to the notebook itself"
        path = f'blob/{self.cfg.branch}/{self.cfg.nbs_path.name}/{self.nm}'
        colab = f'[Open in Colab](https://colab.research.google.com/github/{self.cfg.user}/{self.cfg.repo}/{path}) · ' if self.nm.startswith('tutorial.') else ''
        return f'{{.where}}\n{colab}[Notebook]({self.cfg.git_url}/{path})\n\n'

    def end(self):
        self.nb.metadata = dict(kernelspec=self.nb.metadata.kernelspec, language_info=dict(name='python', pygments_lexer='ipython3'))
        for c in self.nb.cells: c.pop('is_entry', None)
        if self.nm=='index.ipynb':
            self.nb.cells.append(mk_cell(contents([o.stem for o in self.cfg.nbs_path.glob('*.ipynb')]), 'markdown'))
        else:
            c = self.nb.cells[0]
            head = re.match(r'# .*\n*(?:>.*\n*)*', c.source)
            if not head: raise ValueError(f"{self.nm} has no title: its first cell is\n{c.source}")
            c.source = head[0].rstrip()+'\n\n'+self._where()+c.source[head.end():]
