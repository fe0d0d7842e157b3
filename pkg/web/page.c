/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

#include "web/embed.h"

HF_PAGE_EMBED(hf_page_index, "index.html");
HF_PAGE_EMBED(hf_page_style, "page.css");
HF_PAGE_EMBED(hf_page_acts, "acts.js");
HF_PAGE_EMBED(hf_page_app, "app.js");
HF_PAGE_EMBED(hf_page_dom, "dom.js");
HF_PAGE_EMBED(hf_page_node, "node.js");
HF_PAGE_EMBED(hf_page_parts, "parts.js");
HF_PAGE_EMBED(hf_page_plots, "plots.js");
HF_PAGE_EMBED(hf_page_texts, "texts.js");
HF_PAGE_EMBED(hf_page_table, "texts.json");
HF_PAGE_EMBED(hf_page_times, "times.js");
HF_PAGE_EMBED(hf_page_icon, "icon.svg");

static const struct hf_page_file files[] = {
    {"/", "text/html; charset=utf-8", hf_page_index, hf_page_index_end},
    {"/page/page.css", "text/css; charset=utf-8", hf_page_style, hf_page_style_end},
    {"/page/acts.js", HF_PAGE_SCRIPT, hf_page_acts, hf_page_acts_end},
    {"/page/app.js", HF_PAGE_SCRIPT, hf_page_app, hf_page_app_end},
    {"/page/dom.js", HF_PAGE_SCRIPT, hf_page_dom, hf_page_dom_end},
    {"/page/node.js", HF_PAGE_SCRIPT, hf_page_node, hf_page_node_end},
    {"/page/parts.js", HF_PAGE_SCRIPT, hf_page_parts, hf_page_parts_end},
    {"/page/plots.js", HF_PAGE_SCRIPT, hf_page_plots, hf_page_plots_end},
    {"/page/texts.js", HF_PAGE_SCRIPT, hf_page_texts, hf_page_texts_end},
    {"/page/texts.json", "application/json", hf_page_table, hf_page_table_end},
    {"/page/times.js", HF_PAGE_SCRIPT, hf_page_times, hf_page_times_end},
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

bool hf_page_find(const struct hf_page_file *all, size_t n, const struct hf_server_request *request,
                  struct hf_server_reply *reply)
{
    for (size_t i = 0; i < n; i++) {
        if (!hf_view_eq(request->path, all[i].path))
            continue;
        hf_page_protect(reply);
        reply->extra_headers[3] = "Content-Encoding: gzip";
        reply->content_type = all[i].type;
        if (hf_buf_add(&reply->body, all[i].begin, (size_t)(all[i].end - all[i].begin)) < 0)
            reply->status = 500;
        return true;
    }
    return false;
}

void hf_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (!hf_page_find(files, HF_LEN(files), request, reply))
        reply->status = 404;
}
