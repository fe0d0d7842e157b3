/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of an agent, for code that reads many. agent.c owns them. */
#pragma once

struct hf_agent_env;
struct hf_chosen_policy;
struct hf_resync;
struct hf_contact;
struct hf_disks;
struct hf_floor_guard;
struct hf_network;
struct hf_follows;
struct hf_images;
struct hf_labeller;
struct hf_machine;
struct hf_own_edgenode;
struct hf_planner;
struct hf_report;
struct hf_sets;
struct hf_site_hold;
struct hf_trail;
struct hf_update_engine;

struct hf_agent_parts {
    const struct hf_agent_env *env;
    struct hf_contact *contact;
    const struct hf_follows *follows;
    const struct hf_chosen_policy *policy;
    const struct hf_own_edgenode *own_edgenode;
    const struct hf_machine *machine;
    const struct hf_disks *disks;
    const struct hf_network *network;
    const struct hf_site_hold *hold;
    const struct hf_sets *sets;
    const struct hf_images *images;
    const struct hf_planner *planner;
    const struct hf_labeller *labeller;
    const struct hf_resync *resync;
    const struct hf_report *report;
    const struct hf_trail *trail;
    const struct hf_trust_watch *trust_watch;
    const struct hf_floor_guard *floors; /* NULL until made, like `engine` */
    struct hf_update_engine *engine;
};
