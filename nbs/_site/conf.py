"Sphinx's settings for the pages that build.py gives it"
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from fastcore.xtras import Config
from pathlib import Path

cfg = Config.find('settings.ini', Path(__file__).parent)
project,author,copyright,release = cfg.title,cfg.author,cfg.copyright,cfg.version
extensions = ['myst_nb']
root_doc = 'index'
html_theme = 'furo'
html_title = cfg.title
html_static_path = ['static']
html_css_files = ['blf.css']
html_favicon = 'static/favicon.svg'
html_copy_source = html_show_sphinx = False
html_show_search_summary = False   # it fetches pages, which a browser refuses for files
html_math_renderer = 'mathml'
html_theme_options = dict(light_css_variables={'color-brand-primary':'#1f5fa8', 'color-brand-content':'#1f5fa8'},
                          dark_css_variables={'color-brand-primary':'#7fb5f0', 'color-brand-content':'#7fb5f0'})
pygments_style,pygments_dark_style = 'tango','monokai'
nb_execution_mode = 'off'          # the outputs are those that the notebooks' tests saved
nb_merge_streams = True
nb_render_markdown_format = 'myst'  # the Markdown of an output, such as a table, as that of a cell
myst_enable_extensions = ['dollarmath','attrs_block','attrs_inline']
myst_url_schemes = {'http':None, 'https':None, 'mailto':None, 'site':'{{path}}#{{fragment}}'} # `site:` is a page with an anchor that nbdev chose

def mathml(display):
    "Write a formula as MathML, which browsers draw without a script"
    def _visit(self, node):
        self.body.append(tex2mathml(node.astext(), as_block=display))
        raise nodes.SkipNode
    return _visit,None

def setup(app):
    app.add_html_math_renderer('mathml', mathml(False), mathml(True))
