/* agent/parts.h - pointers to the parts of one agent, for the two files that describe all of them: the status
 * (report/collect) and the gauges. These two files only read; each part changes only in its own file. agent.c owns the
 * parts. Loop thread only. */
#pragma once

struct hf_agent_env;
struct hf_chosen_policy;
struct hf_contact;
struct hf_follows;
struct hf_labeller;
struct hf_machine;
struct hf_planner;
struct hf_report;
struct hf_site_hold;
struct hf_update_engine;

struct hf_agent_parts {
    const struct hf_agent_env *env;
    struct hf_contact *contact; /* not const: reading the age of contact updates its maximum */
    const struct hf_follows *follows;
    const struct hf_chosen_policy *policy;
    const struct hf_machine *machine;
    const struct hf_site_hold *hold;
    const struct hf_planner *planner;
    const struct hf_labeller *labeller;
    const struct hf_report *report;
    struct hf_update_engine *engine; /* NULL before the agent has made it */
};
