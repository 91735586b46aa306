# Makes model_matrix_R.json: `LC_ALL=C Rscript model_matrix.R`, with jsonlite and MASS.
# Levels of text depend on the locale; the package orders them by code point, as C does.
stopifnot(Sys.getlocale("LC_COLLATE") == "C")
library(splines)
library(MASS)

d <- data.frame(
  x = c(-1.25, 0.5, 2, -0.75, 1.125, 0.25, -2, 3.5, 0.875, -0.125, 1.75, -1.5),
  z = c(2.5, 1, 0.75, 3.25, 4, 1.5, 2.25, 0.5, 3, 5.5, 1.25, 2),
  n = c(3L, 1L, 2L, 2L, 3L, 1L, 1L, 3L, 2L, 1L, 2L, 3L),
  sex = c("M", "F", "F", "M", "M", "F", "M", "F", "F", "M", "F", "M"),
  f = c("b", "a", "C", "a", "b", "C", "b", "a", "C", "C", "a", "b"),
  g = c("lo", "hi", "mid", "top", "hi", "lo", "top", "mid", "lo", "hi", "top", "mid"),
  o = c("small", "large", "mid", "mid", "small", "large", "large", "small", "mid", "small",
        "large", "mid"),
  b = c(TRUE, FALSE, FALSE, TRUE, TRUE, TRUE, FALSE, FALSE, TRUE, FALSE, TRUE, FALSE)
)
levels_g <- c("lo", "mid", "hi", "top")
levels_o <- c("small", "mid", "large")
frame <- d
frame$g <- factor(d$g, levels_g)
frame$o <- factor(d$o, levels_o, ordered = TRUE)

plain <- c(
  # main effects and interactions; f:g has combinations without records
  "x", "sex", "f", "g", "o", "b", "x + sex + f", "x:z", "x:sex", "sex:x + f", "sex*f", "f:g",
  "sex:f", "f + sex:f", "sex + sex:x", "sex*x*f", "sex*f*b", "f/g", "sex/x",
  "sex/(x + z)", "(x + z + f)^2",
  "(sex + f)^2 - sex:f", "sex*f - f", "o*x", "o:sex", "b:x", "b*f", "x:f:z + sex",
  "f:sex + sex", "x:sex:f + x:f", "z + sex:f:x + f", "f*g - f:g + f:x",
  "f + b*o*(f + z) - f", "f:z + sex*x - f:z - x",
  # without the intercept
  "0 + sex", "-1 + sex + f", "0 + x", "0 + x + sex", "0 + sex:x", "0 + sex:f", "0 + f + sex:f",
  "0 + x:f + sex", "0 + o", "0 + b", "0 + x + sex:f", "sex*f - 1", "0 + o*sex", "0 + x*sex",
  "0 + f/x", "0 + x:z + b:f",
  # transformations
  "I(x^2)", "x + I(x^2) + sex:x", "I(x > 0)", "I(x >= 0.5):z", "log(z)", "sqrt(z)", "exp(x)",
  "abs(x)", "log2(z) + log10(z)", "log(z + 1)", "exp(-x)", "I(x/z)", "I((x + z)^2)", "I(x * z - 1)",
  "I(-x)", "I(1/z)", "I(-x^2)", "I(x^3/2)", "poly(x, 1)", "poly(x, 2)", "poly(x, 3)",
  "poly(x, 2, raw = TRUE)", "poly(x, degree = 2):sex", "sex*poly(x, 2)", "scale(x)",
  "scale(x, scale = FALSE):sex", "factor(n)", "factor(n):x", "as.factor(n)", "factor(n)*sex",
  "0 + factor(n)", "n", "n:sex",
  "factor(I(n > 1))", "factor(b)", "x + offset(z)", "sex + offset(log(z)) + x", "log(z):f",
  # splines
  "bs(x)", "bs(x, df = 5)", "bs(x, 4)", "bs(x, df = 4, degree = 2)", "bs(x, knots = c(-0.5, 1))",
  "sex:bs(x, df = 4)"
)
natural <- c(
  "ns(x)", "ns(x, 1)", "ns(x, df = 2)", "ns(x, df = 3)", "ns(x, df = 5)", "sex:ns(x, df = 2)",
  "ns(x, df = 4, intercept = TRUE)", "ns(x, knots = c(-0.5, 1))", "ns(x, knots = 0.5)",
  "ns(x, knots = 0, Boundary.knots = c(-1, 2))", "ns(x, df = 3, Boundary.knots = c(-3, 4))",
  "ns(x, df = 3, Boundary.knots = c(-1, 1.5))", "ns(z, df = 4)", "0 + ns(x, df = 2)"
)
contrasted <- list(
  list("f", list(f = "sum")), list("f", list(f = "helmert")), list("f", list(f = "poly")),
  list("f", list(f = "sdif")), list("o", list(o = "treatment")), list("o", list(o = "sum")),
  list("g", list(g = "poly")), list("g", list(g = "helmert")), list("g", list(g = "sdif")),
  list("b", list(b = "sum")), list("sex*f", list(f = "sum", sex = "helmert")),
  list("f:g", list(f = "sum", g = "sdif")), list("0 + f + sex", list(f = "sum", sex = "sum")),
  list("x:f", list(f = "sum")), list("f + x:f", list(f = "sum")), list("f:sex + f", list(f = "sum"))
)

# some beyond the boundary knots
new <- data.frame(x = c(-4, -2, 0.3, 3.5, 6), z = c(1, 2, 3, 4, 5))
case <- function(rhs, contrasts = NULL, predict = FALSE) {
  f <- as.formula(paste("~", rhs))
  codes <- if (!is.null(contrasts)) lapply(contrasts, function(kind) paste0("contr.", kind))
  m <- model.frame(f, frame)
  X <- model.matrix(f, m, contrasts.arg = codes)
  out <- list(rhs = rhs, names = as.list(colnames(X)), assign = attr(X, "assign"),
              columns = lapply(seq_len(ncol(X)), function(j) signif(unname(X[, j]), 13)))
  if (!is.null(contrasts)) out$contrasts <- contrasts
  if (predict) {
    X <- model.matrix(terms(m), new, xlev = .getXlevels(terms(m), m))
    out$new <- lapply(seq_len(ncol(X)), function(j) signif(unname(X[, j]), 13))
  }
  out
}
cases <- c(lapply(plain, case), lapply(contrasted, function(a) case(a[[1]], a[[2]])),
           lapply(natural, function(rhs) case(rhs, predict = !grepl("sex", rhs))))
made <- paste("model_matrix.R with", R.version.string)
out <- list(made_by = made, data = as.list(d), levels = list(g = levels_g, o = levels_o),
            new = as.list(new), cases = cases)
lines <- jsonlite::toJSON(out, digits = NA, auto_unbox = TRUE)
writeLines(gsub('\\{"rhs"', '\n{"rhs"', lines), "model_matrix_R.json")
