/* SPDX-License-Identifier: Apache-2.0 */
/* api/release.h - the tables that decode health checks, and spec.release (the signed part of an EdgeUpdate). Only
 * release.c, edgeupdate.c and manifest.c use this header. Pure. */
#pragma once

#include "api/edgeupdate.h"
#include "api/field/field.h"

extern const struct hf_field hf_release_fields[]; /* table of spec.release, which fills a struct hf_release */

/* The `finish` function of spec.release. Checks rules that involve several fields, and computes the digest. */
void hf_release_finish(struct hf_decode *decode, void *object, json_t *json);

/* Table of one health check, which fills a struct hf_check, and the `finish` function of the table. */
extern const struct hf_field hf_release_check_fields[];
void hf_release_check_finish(struct hf_decode *decode, void *object, json_t *json);

/* Frees the lists in a release, but not the release itself. */
void hf_release_done(struct hf_release *release);
