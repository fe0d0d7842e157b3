/* SPDX-License-Identifier: Apache-2.0 */
/* support/ssa_sim.h - an API server that knows server-side apply as far as the target Cluster does: who owns fields, uids, what is
 * immutable, what is being deleted, kinds that are served late. Give ssa_sim_handle() to hf_simnet_serve(). */
#pragma once

#include "codec/json.h"
#include "support/fakes/simnet.h"

enum { SSA_SIM_LOG = 5000, SSA_SIM_SCRIPTS = 8 };

/* An answer that the test wants for a request, `times` times. */
struct ssa_sim_script {
    const char *method, *path;
    int status;
    const char *body;
    unsigned times;
};

struct ssa_sim {
    json_t *objects; /* by path */
    unsigned uids, clock, versions;
    char force[8];         /* the parameter of the last apply */
    bool drops;            /* answers writes with what was there: a proxy that lies */
    const char *immutable; /* path of an object whose spec cannot change */
    const char *sticky;    /* path of an object with a finalizer that nobody removes */
    const char *late;      /* path of a kind that is served only after its definition has a status */
    struct ssa_sim_script scripts[SSA_SIM_SCRIPTS];
    uint64_t retry_after_ns; /* header Retry-After of the answers in scripts[]; 0: without */
    char *log[SSA_SIM_LOG];  /* "METHOD path" */
    size_t n_log;
};

void ssa_sim_init(struct ssa_sim *sim);
void ssa_sim_done(struct ssa_sim *sim);
void ssa_sim_handle(void *sim, struct hf_simcall *call);
/* How many requests of this method and path came since the log was forgotten. */
unsigned ssa_sim_logged(const struct ssa_sim *sim, const char *line);
void ssa_sim_forget_log(struct ssa_sim *sim);
/* hf_json_put(), which must succeed. */
void ssa_sim_put(json_t *root, const char *path, json_t *value);
