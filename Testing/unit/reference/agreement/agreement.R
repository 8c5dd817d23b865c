# ICC, repeatability and Bland-Altman of data.csv by R, psych and irr, as JSON on the standard output:
#   Rscript agreement.R data.csv > agreement.json
# Made with R 4.2.2, psych 2.2.9 and irr 0.84.1; without irr its figures are left out. One object: "set/statistic/of what/figure": number.

library(psych)
has_irr <- requireNamespace("irr", quietly = TRUE)

figures <- list()
keep <- function(.path, ...) {  # with a point: R would take an argument "p" for the path
  found <- list(...)
  for (name in names(found)) figures[[paste(.path, name, sep = "/")]] <<- unname(found[[name]])
}

# Mean squares, as lmer = FALSE says: psych's default fits by restricted likelihood.
icc_of <- function(path, ratings) {
  ratings <- na.omit(ratings)
  table <- ICC(ratings, lmer = FALSE)$results
  for (type in c("ICC2", "ICC3")) {
    row <- table[table$type == type, ]
    keep(paste(path, type, sep = "/"), value = row$ICC, low = row[["lower bound"]], high = row[["upper bound"]],
         F = row$F, df1 = row$df1, df2 = row$df2, p = row$p, n = nrow(ratings), k = ncol(ratings))
  }
  if (!has_irr) return()
  for (type in c("agreement", "consistency")) {
    found <- irr::icc(ratings, model = "twoway", type = type, unit = "single")
    name <- if (type == "agreement") "irr_ICC2" else "irr_ICC3"
    keep(paste(path, name, sep = "/"), value = found$value, low = found$lbound, high = found$ubound)
  }
}

repeatability_of <- function(path, readings) {
  readings <- na.omit(readings)
  long <- data.frame(value = c(readings), case = factor(rep(seq_len(nrow(readings)), ncol(readings))))
  residual <- anova(lm(value ~ case, data = long))["Residuals", ]
  df <- residual$Df
  cv <- sqrt(mean((apply(readings, 1, sd) / rowMeans(readings))^2))
  spread <- sqrt(residual[["Mean Sq"]])
  coefficient <- qnorm(0.975) * sqrt(2) * spread
  low <- sqrt(df / qchisq(0.975, df))
  high <- sqrt(df / qchisq(0.025, df))
  keep(paste(path, "within_sd", sep = "/"), value = spread, low = spread * low, high = spread * high)
  keep(paste(path, "within_cv", sep = "/"), value = cv, low = cv * low, high = cv * high)
  keep(paste(path, "repeatability_coefficient", sep = "/"),
       value = coefficient, low = coefficient * low, high = coefficient * high)
  keep(path, n = nrow(readings), df = df)
}

bland_altman_of <- function(path, both) {
  both <- na.omit(both)
  n <- nrow(both)
  difference <- both[, 1] - both[, 2]
  middle <- rowMeans(both)
  tested <- t.test(difference)
  spread <- sd(difference)
  limit <- qnorm(0.975)
  bounds <- qt(c(0.025, 0.975), n - 1, ncp = limit * sqrt(n)) / sqrt(n)
  keep(paste(path, "bias", sep = "/"),
       value = mean(difference), low = tested$conf.int[1], high = tested$conf.int[2])
  keep(paste(path, "lower", sep = "/"), value = mean(difference) - limit * spread,
       low = mean(difference) - bounds[2] * spread, high = mean(difference) - bounds[1] * spread)
  keep(paste(path, "upper", sep = "/"), value = mean(difference) + limit * spread,
       low = mean(difference) + bounds[1] * spread, high = mean(difference) + bounds[2] * spread)
  line <- lm(difference ~ middle)
  interval <- confint(line)["middle", ]
  keep(paste(path, "slope", sep = "/"), value = coef(line)[["middle"]], low = interval[[1]], high = interval[[2]])
  keep(path, sd = spread, slope_p = summary(line)$coefficients["middle", 4], n = n)
}

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1], stringsAsFactors = FALSE)
for (name in unique(data$set)) {
  part <- data[data$set == name, ]
  cell <- tapply(part$value, list(part$case, part$reader, part$`repeat`), identity)
  for (reader in dimnames(cell)[[2]]) {
    icc_of(paste(name, "icc", reader, sep = "/"), cell[, reader, ])
    repeatability_of(paste(name, "repeatability", reader, sep = "/"), cell[, reader, ])
  }
  repeatability_of(paste(name, "repeatability", "pooled", sep = "/"), rbind(cell[, 1, ], cell[, 2, ]))
  medians <- apply(cell, c(1, 2), median)
  icc_of(paste(name, "icc", "between", sep = "/"), medians)
  bland_altman_of(paste(name, "bland_altman", "between", sep = "/"), medians)
}
numbers <- unlist(figures)
numbers <- ifelse(is.finite(numbers), sprintf("%.17g", numbers), "null")
cat("{\n", paste(sprintf("  \"%s\": %s", names(figures), numbers), collapse = ",\n"), "\n}\n", sep = "")
