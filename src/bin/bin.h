/* bin.h: the roles of the executable, for main.c. */
#ifndef LYRE_BIN_BIN_H
#define LYRE_BIN_BIN_H

int binfmt_main(int argc, char **argv);

#endif
