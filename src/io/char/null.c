/* null.c: -chardev null: takes everything, gives nothing. */
#include "io/char/chr.h"

static int null_open(struct chr *c, const struct opts *o, struct err *e)
{
    chr_be_event(c, CHR_OPENED);
    return 0;
}

const struct chr_driver null_chr = {
    .name = "null", .help = "output goes nowhere, no input", .size = sizeof(struct chr), .open = null_open,
};
