/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

/* Where the Makefile puts the compressed files. */
#ifndef HF_PAGE_DIR
#define HF_PAGE_DIR ""
#endif

/* The bytes between the symbols hf_page_NAME and hf_page_NAME_end. */
#define EMBED(name, file)                                                                                              \
    __asm__(".pushsection .rodata.hf_page,\"a\"\n"                                                                     \
            ".globl hf_page_" #name "\n.hidden hf_page_" #name "\nhf_page_" #name ":\n"                                \
            ".incbin \"" HF_PAGE_DIR file ".gz\"\n"                                                                    \
            ".globl hf_page_" #name "_end\n.hidden hf_page_" #name "_end\nhf_page_" #name "_end:\n"                    \
            ".byte 0\n.popsection\n");                                                                                 \
    extern const unsigned char hf_page_##name[], hf_page_##name##_end[]

EMBED(index, "index.html");
EMBED(style, "page.css");
EMBED(acts, "acts.js");
EMBED(app, "app.js");
EMBED(dom, "dom.js");
EMBED(node, "node.js");
EMBED(plots, "plots.js");
EMBED(texts, "texts.js");
EMBED(times, "times.js");
EMBED(icon, "icon.svg");

#define SCRIPT "text/javascript; charset=utf-8"

static const struct {
    const char *path, *type;
    const unsigned char *begin, *end;
} files[] = {
    {"/", "text/html; charset=utf-8", hf_page_index, hf_page_index_end},
    {"/page/page.css", "text/css; charset=utf-8", hf_page_style, hf_page_style_end},
    {"/page/acts.js", SCRIPT, hf_page_acts, hf_page_acts_end},
    {"/page/app.js", SCRIPT, hf_page_app, hf_page_app_end},
    {"/page/dom.js", SCRIPT, hf_page_dom, hf_page_dom_end},
    {"/page/node.js", SCRIPT, hf_page_node, hf_page_node_end},
    {"/page/plots.js", SCRIPT, hf_page_plots, hf_page_plots_end},
    {"/page/texts.js", SCRIPT, hf_page_texts, hf_page_texts_end},
    {"/page/times.js", SCRIPT, hf_page_times, hf_page_times_end},
    {"/page/icon.svg", "image/svg+xml", hf_page_icon, hf_page_icon_end},
};

const char *hf_page_path(size_t i)
{
    return i < HF_LEN(files) ? files[i].path : NULL;
}

void hf_page_protect(struct hf_server_reply *reply)
{
    reply->extra_headers[0] = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                              "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                              "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    reply->extra_headers[1] = "Referrer-Policy: no-referrer";
    reply->extra_headers[2] = "Cross-Origin-Resource-Policy: same-origin";
}

void hf_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply)
{
    for (size_t i = 0; i < HF_LEN(files); i++) {
        if (!hf_view_eq(request->path, files[i].path))
            continue;
        hf_page_protect(reply);
        reply->extra_headers[3] = "Content-Encoding: gzip";
        reply->content_type = files[i].type;
        if (hf_buf_add(&reply->body, files[i].begin, (size_t)(files[i].end - files[i].begin)) < 0)
            reply->status = 500;
        return;
    }
    reply->status = 404;
}
