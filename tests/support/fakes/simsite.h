/* SPDX-License-Identifier: Apache-2.0 */
/* support/simsite.h - a publisher on a simnet: signed releases, their files and deltas, the EdgeUpdates that name them.
 *
 *     struct hf_simsite *site = hf_simsite_new("edge", 4, tempers);     keys, files, deltas: once for many worlds
 *     hf_simsite_serve(site, net);                                      "https://files/..." in this world
 *     json_t *update = hf_simsite_update(site, 2, NULL);                release number 2, signed
 *
 * Release i (from 1) is version "1.i.0", sequence i; its file begins with "release NAME VERSION TEMPER" (support/simboard.h) and
 * shares most of its bytes with the one before; a delta leads from each release to the next. Deterministic but for the keys. */
#pragma once

#include "codec/json.h"
#include "support/fakes/simnet.h"

struct hf_simsite;

struct hf_simsite *hf_simsite_new(const char *name, size_t releases, const char *const *tempers); /* aborts */
void hf_simsite_free(struct hf_simsite *site);
HF_DEFINE_CLEANUP(struct hf_simsite, hf_simsite_free)

void hf_simsite_serve(struct hf_simsite *site, struct hf_simnet *net);
const char *hf_simsite_public_pem(const struct hf_simsite *site); /* for <trust>/k1.pem */

struct hf_view hf_simsite_content(const struct hf_simsite *site, size_t i);
const char *hf_simsite_temper(const struct hf_simsite *site, size_t i);
/* Number of the release with this content, 0: none. */
size_t hf_simsite_which(const struct hf_simsite *site, const void *bytes, size_t n);

/* What may be different about an update; zero for none of it. */
struct hf_simsite_twist {
    const char *object_name;                /* NULL: the release's name */
    const char *unit;                       /* NULL: "<name>.service" */
    const char *path;                       /* NULL: "/opt/<name>/app" */
    bool forged;                            /* changed after it was signed */
    bool other_key;                         /* signed by a key nobody trusts */
    bool wrong_hash;                        /* signed, but the file is another */
    const char *arch;                       /* NULL: "amd64" */
    const char *deadline;                   /* NULL: "30s" */
    const char *expires;                    /* NULL: 2100 */
    uint64_t downgrade_from;                /* 0: none */
    bool exec_check, tcp_check, unit_check; /* beside the HTTP one */
};
json_t *hf_simsite_update(const struct hf_simsite *site, size_t i, const struct hf_simsite_twist *twist);
