/* Stands in for libvosk when Auricle is linked.
 *
 * The crate `vosk` asks the linker for a library of that name. Linking the real one would make the
 * program refuse to start wherever it is not installed, so build.rs links this file in its place:
 * every function passes its arguments on to the library that is opened at run time. Before one is
 * attached each returns zero, which callers read as "could not be made".
 *
 * Signatures: vosk_api.h, version 0.3.45.
 */
#include <stddef.h>

#define VALUES(X)                                                                                  \
    X(void *, vosk_model_new, (const char *path), (path))                                          \
    X(int, vosk_model_find_word, (void *model, const char *word), (model, word))                   \
    X(void *, vosk_spk_model_new, (const char *path), (path))                                      \
    X(void *, vosk_recognizer_new, (void *model, float rate), (model, rate))                       \
    X(void *, vosk_recognizer_new_spk, (void *model, float rate, void *spk), (model, rate, spk))   \
    X(void *, vosk_recognizer_new_grm, (void *model, float rate, const char *grammar),             \
      (model, rate, grammar))                                                                      \
    X(int, vosk_recognizer_accept_waveform, (void *r, const char *data, int n), (r, data, n))      \
    X(int, vosk_recognizer_accept_waveform_s, (void *r, const short *data, int n), (r, data, n))   \
    X(int, vosk_recognizer_accept_waveform_f, (void *r, const float *data, int n), (r, data, n))   \
    X(const char *, vosk_recognizer_result, (void *r), (r))                                        \
    X(const char *, vosk_recognizer_partial_result, (void *r), (r))                                \
    X(const char *, vosk_recognizer_final_result, (void *r), (r))

#define ACTIONS(X)                                                                                 \
    X(vosk_model_free, (void *model), (model))                                                     \
    X(vosk_spk_model_free, (void *model), (model))                                                 \
    X(vosk_recognizer_set_spk_model, (void *r, void *spk), (r, spk))                               \
    X(vosk_recognizer_set_max_alternatives, (void *r, int n), (r, n))                              \
    X(vosk_recognizer_set_words, (void *r, int on), (r, on))                                       \
    X(vosk_recognizer_set_partial_words, (void *r, int on), (r, on))                               \
    X(vosk_recognizer_set_nlsml, (void *r, int on), (r, on))                                       \
    X(vosk_recognizer_reset, (void *r), (r))                                                       \
    X(vosk_recognizer_free, (void *r), (r))                                                        \
    X(vosk_set_log_level, (int level), (level))

/* Hidden, so that the real library never finds these in place of its own. */
#define HIDDEN __attribute__((visibility("hidden")))

#define VALUE(TYPE, NAME, PARAMETERS, ARGUMENTS)                                                   \
    static TYPE(*real_##NAME) PARAMETERS;                                                          \
    HIDDEN TYPE NAME PARAMETERS { return real_##NAME ? real_##NAME ARGUMENTS : (TYPE)0; }

#define ACTION(NAME, PARAMETERS, ARGUMENTS)                                                        \
    static void(*real_##NAME) PARAMETERS;                                                          \
    HIDDEN void NAME PARAMETERS { if (real_##NAME) real_##NAME ARGUMENTS; }

VALUES(VALUE)
ACTIONS(ACTION)

#define CHECK_VALUE(TYPE, NAME, PARAMETERS, ARGUMENTS)                                             \
    if (!find(library, #NAME)) return #NAME;
#define CHECK_ACTION(NAME, PARAMETERS, ARGUMENTS)                                                  \
    if (!find(library, #NAME)) return #NAME;
#define TAKE_VALUE(TYPE, NAME, PARAMETERS, ARGUMENTS)                                              \
    *(void **)&real_##NAME = find(library, #NAME);
#define TAKE_ACTION(NAME, PARAMETERS, ARGUMENTS)                                                   \
    *(void **)&real_##NAME = find(library, #NAME);

/* Attaches a library: all of it or nothing. Returns the name of a function it lacks, or NULL. */
HIDDEN const char *auricle_vosk_attach(void *(*find)(const void *library, const char *name),
                                       const void *library) {
    VALUES(CHECK_VALUE)
    ACTIONS(CHECK_ACTION)
    VALUES(TAKE_VALUE)
    ACTIONS(TAKE_ACTION)
    return NULL;
}
