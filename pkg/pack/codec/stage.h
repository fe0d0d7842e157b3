/* SPDX-License-Identifier: Apache-2.0 */
/* pack/codec/stage.h - decode one layer of compression, or encode that layer again bit for bit, with any codec.
 *
 * Each function calls the matching function in the codec's pack_codec_ops. Threads: one thread at a time uses an
 * encoder. */
#pragma once

#include "pack/codec/codec.h"

/* ---- encoding ---------------------------------------------------------------------------------------------------- */

struct pack_encoder;
/* Makes an encoder, which borrows setup->marks. -EOPNOTSUPP: this program lacks the codec. -EBADMSG: invalid
 * parameters. -E2BIG: the encoder would exceed the codec's limit of memory. */
HF_MUST_USE int pack_encoder_new(const struct pack_setup *setup, const struct pack_sink *out,
                                 struct pack_encoder **ret_encoder, struct hf_err *err);
HF_MUST_USE int pack_encoder_feed(struct pack_encoder *encoder, const void *bytes, size_t n, struct hf_err *err);
/* Writes all compressed bytes that remain. Call once, after feeding the last byte. */
HF_MUST_USE int pack_encoder_finish(struct pack_encoder *encoder, struct hf_err *err);
void pack_encoder_free(struct pack_encoder *encoder);
HF_DEFINE_CLEANUP(struct pack_encoder, pack_encoder_free)

/* Returns an upper bound of the memory in bytes that an encoder with this setup needs, or UINT64_MAX if the setup is
 * invalid or this program lacks the codec. */
uint64_t pack_encoder_memory(const struct pack_setup *setup);

/* ---- decoding ---------------------------------------------------------------------------------------------------- */

/* Decodes decode->n bytes, which must be exactly one stream, including the gzip tail if decode->gzip_tail is set.
 * -EBADMSG: these bytes are not exactly one valid stream. */
HF_MUST_USE int pack_decode_run(const struct pack_decode *decode, struct hf_err *err);
/* Decodes a stream of unknown length, at most decode->n bytes; *ret_n is its length. */
HF_MUST_USE int pack_decode_some(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err);

/* ---- comparing encoders ------------------------------------------------------------------------------------- */

/* Returns the name and version of the library on which a codec's compressed bytes depend, such as "liblzma 5.4.1", or
 * NULL if the bytes depend on no library. */
const char *pack_codec_version(enum pack_codec codec);

enum { PACK_FINGERPRINT_BYTES = 8 };
/* Encodes a fixed text with the codec and the parameters of `setup` and sets `fingerprint` to the first bytes of the
 * SHA-256 of the result. Two library versions with equal fingerprints count as the same encoder. */
HF_MUST_USE int pack_encoder_fingerprint(const struct pack_setup *setup,
                                         unsigned char fingerprint[PACK_FINGERPRINT_BYTES], struct hf_err *err);

/* Returns 1 if an encoder with this setup makes exactly search->packed from search->plain, 0 if not, or -errno. */
HF_MUST_USE int pack_encoder_makes(const struct pack_setup *setup, const struct pack_search *search,
                                   struct hf_err *err);
/* Feeds the first n bytes of search->plain to an encoder with this setup, without finishing the stream. Returns 1 if
 * search->packed begins with the output so far (which may be empty), 0 if not, or -errno. */
HF_MUST_USE int pack_encoder_starts(const struct pack_setup *setup, const struct pack_search *search, size_t n,
                                    struct hf_err *err);
