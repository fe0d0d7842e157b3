/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/content.h - what the source of an entry delivers. */
#pragma once

#include "manifests/state/record.h"
#include <stdbool.h>

struct entry;
struct job;

/* Starts the source of the wanted entry, unless it runs already or may not start. */
void content_follow(struct entry *entry);
void content_stop(struct entry *entry);
/* Stops the source while a hold (entry->hold) is in force, unless the content of a Secret was asked for again. Starts
 * the source when the hold has ended. */
void content_hold(struct entry *entry);
/* Asks the limiter of the entry (rules/content_pace.h) if it may start one more new set, and takes a token. If the set
 * has to wait, writes why into `text` and returns false. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* Call this function if the content of this set is lost on the disk. If this content is the newest that the source has
 * delivered, asks the source for the whole content again. (A source cannot deliver older contents again.) */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* Call this function after a job has tried to read the content of the newest set. If job->unreadable has been true more
 * than MANIFEST_MAX_UNREADABLE times in a row, the content counts as lost: sets the reason SourceUnreachable. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* The same after a job that has tried to repair drift of the good set. If the content is lost, calls content_lost(). */
void content_repair_ended(struct entry *entry, struct job *job);
/* If a new content was delivered, starts to write it to disk. If the same content was delivered with another revision
 * or from another source, starts to save only the record. Returns true if it has started one of the two. */
bool content_consider(struct entry *entry);
