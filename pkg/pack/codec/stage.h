/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes a layer of compression, or encodes it again bit for bit. */
#pragma once

#include "pack/codec/codec.h"

struct pack_encoder;
/* Borrows setup->marks. -EOPNOTSUPP: this program lacks the codec. -EBADMSG: bad parameters. -E2BIG: above the codec's
 * memory limit. */
HF_MUST_USE int pack_encoder_new(const struct pack_setup *setup, const struct pack_sink *out,
                                 struct pack_encoder **ret_encoder, struct hf_err *err);
HF_MUST_USE int pack_encoder_feed(struct pack_encoder *encoder, const void *bytes, size_t n, struct hf_err *err);
/* Writes the remainder; call once. */
HF_MUST_USE int pack_encoder_finish(struct pack_encoder *encoder, struct hf_err *err);
void pack_encoder_free(struct pack_encoder *encoder);
HF_DEFINE_CLEANUP(struct pack_encoder, pack_encoder_free)

/* Returns an upper bound of an encoder's memory; UINT64_MAX: bad setup or no such codec. */
uint64_t pack_encoder_memory(const struct pack_setup *setup);

/* Decodes exactly one stream of decode->n bytes, with gzip tail if set. -EBADMSG: damaged, or of another length. */
HF_MUST_USE int pack_decode_run(const struct pack_decode *decode, struct hf_err *err);
/* Decodes a stream of at most decode->n bytes; *ret_n: its length. */
HF_MUST_USE int pack_decode_some(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

/* Returns the library that the encoded bytes depend on ("liblzma 5.4.1"), or NULL. */
const char *pack_codec_version(enum pack_codec codec);

enum { PACK_FINGERPRINT_BYTES = 8 };
/* Hashes a fixed text, encoded by the setup: libraries with equal fingerprints count as one encoder. */
HF_MUST_USE int pack_encoder_fingerprint(const struct pack_setup *setup,
                                         unsigned char fingerprint[PACK_FINGERPRINT_BYTES], struct hf_err *err);

/* Returns 1 if the setup makes search->packed of search->plain, else 0. */
HF_MUST_USE int pack_encoder_makes(const struct pack_setup *setup, const struct pack_search *search,
                                   struct hf_err *err);
/* Returns 1 if search->packed begins with what the setup makes of the first n bytes, perhaps nothing, else 0. */
HF_MUST_USE int pack_encoder_starts(const struct pack_setup *setup, const struct pack_search *search, size_t n,
                                    struct hf_err *err);
