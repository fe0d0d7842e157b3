/* SPDX-License-Identifier: Apache-2.0 */
/* support/metaserver_sim.h - a KubeEdge MetaServer in front of support/apiserver_sim.h, as it was recorded on a real one: a local
 * store filled by watches, with ghosts in it; lists from the cloud or, 10 s late and misspelt, from the store; watches that
 * replay; deletions that are never told; writes that fail. One per node, on loopback. */
#pragma once

#include "support/fakes/apiserver_sim.h"

struct hf_simmeta;

struct hf_simmeta_counts {
    unsigned lists, watches, patches, singles, reviews;
    unsigned at_once; /* calls that wait in this moment */
    unsigned lists_at_once, most_lists_at_once;
};

/* `prefix` is "http://127.0.0.1:10550" or the like; `api` is the cloud behind it. */
struct hf_simmeta *hf_simmeta_new(struct hf_simloop *loop, struct hf_simnet *net, struct hf_simapi *api,
                                  const char *prefix);
void hf_simmeta_free(struct hf_simmeta *meta); /* before the net and the api */
HF_DEFINE_CLEANUP(struct hf_simmeta, hf_simmeta_free)
const struct hf_simmeta_counts *hf_simmeta_counts(const struct hf_simmeta *meta);

void hf_simmeta_cut(struct hf_simmeta *meta);                         /* the cloud is out of reach */
void hf_simmeta_heal(struct hf_simmeta *meta, uint64_t connected_ns); /* the link is back; connected that much later */
/* EdgeCore restarts: its port refuses for 27 s, its store survives; away from the cloud it then answers at once. */
void hf_simmeta_restart(struct hf_simmeta *meta);
/* The next `times` lists are answered with `status`. */
void hf_simmeta_refuse(struct hf_simmeta *meta, int status, unsigned times);
/* CloudCore's account lacks the right on this kind, as recorded: lists come from the store at once, writes are answered 403; it says
 * so when it is asked (SelfSubjectAccessReview). A watch of it makes CloudCore wait for its right, and answer nothing until then. */
void hf_simmeta_forbid(struct hf_simmeta *meta, const char *kind, bool forbidden);
/* CloudCore's account has the right in one namespace only: lists there work, and a watch stops CloudCore, as above. */
void hf_simmeta_confine(struct hf_simmeta *meta, const char *kind, bool confined);
/* The API server does not know this kind: as forbidden, but a review says that it is allowed. */
void hf_simmeta_unknow(struct hf_simmeta *meta, const char *kind, bool unknown);
/* Put something into the store alone: a ghost. */
void hf_simmeta_haunt(struct hf_simmeta *meta, const char *text);
