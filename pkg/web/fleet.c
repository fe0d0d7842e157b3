/* SPDX-License-Identifier: Apache-2.0 */
#include "web/fleet.h"

#include "web/embed.h"
#include "web/page.h"

HF_PAGE_EMBED(hf_fleet_page_index, "fleet.html");
HF_PAGE_EMBED(hf_fleet_page_style, "fleet.css");
HF_PAGE_EMBED(hf_fleet_page_app, "fleet.js");
HF_PAGE_EMBED(hf_fleet_page_data, "fleet_data.js");
HF_PAGE_EMBED(hf_fleet_page_map, "fleet_map.js");
HF_PAGE_EMBED(hf_fleet_page_film, "fleet_film.js");
HF_PAGE_EMBED(hf_fleet_page_acts, "fleet_acts.js");
HF_PAGE_EMBED(hf_fleet_page_past, "fleet_past.js");

static const struct hf_page_file files[] = {
    {"/", "text/html; charset=utf-8", hf_fleet_page_index, hf_fleet_page_index_end},
    {"/page/fleet.css", "text/css; charset=utf-8", hf_fleet_page_style, hf_fleet_page_style_end},
    {"/page/fleet.js", HF_PAGE_SCRIPT, hf_fleet_page_app, hf_fleet_page_app_end},
    {"/page/fleet_data.js", HF_PAGE_SCRIPT, hf_fleet_page_data, hf_fleet_page_data_end},
    {"/page/fleet_map.js", HF_PAGE_SCRIPT, hf_fleet_page_map, hf_fleet_page_map_end},
    {"/page/fleet_film.js", HF_PAGE_SCRIPT, hf_fleet_page_film, hf_fleet_page_film_end},
    {"/page/fleet_acts.js", HF_PAGE_SCRIPT, hf_fleet_page_acts, hf_fleet_page_acts_end},
    {"/page/fleet_past.js", HF_PAGE_SCRIPT, hf_fleet_page_past, hf_fleet_page_past_end},
};

/* Behind our own files, those of the node, except its "/", the first. */
const char *hf_fleet_page_path(size_t i)
{
    return i < HF_LEN(files) ? files[i].path : hf_page_path(i - HF_LEN(files) + 1);
}

void hf_fleet_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply)
{
    if (!hf_page_find(files, HF_LEN(files), request, reply))
        hf_page_answer(request, reply);
}
